package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"strings"
)

// manyIDs looks for 500 ids that stand somewhere in the file.
func manyIDs() row {
	return row{id: "6", work: "500 ids at once", goal: 0.10, run: func(ctx context.Context, b *bench) (result, error) {
		p, err := b.file(ctx, jsonSet)
		if err != nil {
			return result{}, err
		}
		list := b.path("ids.txt")
		if err := b.make(ctx, list, func(w io.Writer) error { return pickIDs(w, p, 500) }); err != nil {
			return result{}, err
		}
		return b.against(ctx, rg("-F", "-f", list, p), b.worker("many", list, p), sameLines)
	}}
}

// pickIDs writes ids of lines that are spread over the file.
func pickIDs(w io.Writer, path string, n int64) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	for i := range n {
		r := bufio.NewReader(io.NewSectionReader(f, st.Size()/(n+1)*i, 4096))
		if _, err := r.ReadString('\n'); err != nil {
			return err
		}
		line, err := r.ReadString('\n')
		if err != nil {
			return err
		}
		_, id, _ := strings.Cut(line, "/dtros/")
		if _, err := io.WriteString(w, id[:len(wanted)]+"\n"); err != nil {
			return err
		}
	}
	return nil
}
