package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"inquest/sources"
	"inquest/sources/catalog"
	"inquest/sources/heap"
)

// How raw pages were read.

const (
	blocksPerFile  = 131072 // pages of a 1 GB file, RELSEG_SIZE
	blocksPerQuery = 512
	pageTimeout    = 20e9
)

// Blocks are consecutive pages of one relation.
type Blocks struct {
	Via   string
	From  uint32
	Pages [][]byte // 8192 bytes each; fewer than asked for at the end of the relation
	// Torn lists blocks whose checksum was wrong twice: damaged, or written to
	// while they were read.
	Torn []uint32
}

// pager reads pages inside one transaction.
type pager struct {
	t         *tx
	function  string // get_raw_page with its schema, or empty
	wrapper   string // inquest_page_read with its schema, where files may be read by that only
	old       bool   // its block number is int4 (13)
	checksums bool
}

// withPager runs fn with raw access to pages, or returns a *sources.Blind.
func (s *Server) withPager(ctx context.Context, note string, fn func(context.Context, *pager) error) error {
	if err := s.acquire(ctx); err != nil {
		return err
	}
	defer s.release()
	f, err := s.facts(ctx)
	if err != nil {
		return err
	}
	if b := f.pagesBlind(); b != nil {
		return b
	}
	w := work{note: note, timeout: pageTimeout}
	err = s.transact(ctx, w, func(ctx context.Context, t *tx) error {
		p := &pager{t: t, function: f.rawPageFunction(), old: f.Major() < 14, checksums: f.Settings["data_checksums"] == "on"}
		if p.function == "" && !f.Functions[fnReadBinary] {
			p.wrapper = f.wrapper(wrapperPage)
		}
		return fn(ctx, p)
	})
	return s.blindFor(ctx, w, err)
}

func (p *pager) via() string {
	if p.function != "" {
		return catalog.ViaBuffers
	}
	return catalog.ViaFile
}

// ReadBlocks reads n pages of a relation's fork ("main", "fsm", "vm") from a
// block on, through shared buffers where pageinspect can be used and from the
// file otherwise; it never prunes. Beyond the budget's HeapBytes, or without the
// privilege, it returns a *sources.Blind.
func (s *Server) ReadBlocks(ctx context.Context, rel uint32, fork string, from uint32, n int) (*Blocks, error) {
	var out *Blocks
	err := s.withPager(ctx, "raw pages", func(ctx context.Context, p *pager) (err error) {
		out, err = p.read(ctx, rel, fork, from, n)
		return err
	})
	return out, err
}

func (p *pager) read(ctx context.Context, rel uint32, fork string, from uint32, n int) (*Blocks, error) {
	out := &Blocks{Via: p.via(), From: from}
	for n > 0 {
		at := from + uint32(len(out.Pages))
		k := min(n, blocksPerQuery, blocksPerFile-int(at%blocksPerFile))
		pages, err := p.some(ctx, rel, fork, at, k)
		if err != nil {
			return nil, err
		}
		out.Pages = append(out.Pages, pages...)
		if len(pages) < k {
			break
		}
		n -= k
	}
	return out, p.recheck(ctx, rel, fork, out)
}

// some reads up to k pages that lie in one file.
func (p *pager) some(ctx context.Context, rel uint32, fork string, at uint32, k int) ([][]byte, error) {
	if err := p.t.s.spendHeap(int64(k) * heap.PageSize); err != nil {
		return nil, err
	}
	if p.wrapper != "" && fork != "main" {
		return nil, &sources.Blind{Why: wrapperPage + " reads main forks only"}
	}
	sql, args := p.statement(rel, fork, at, k)
	var pages [][]byte
	_, err := p.t.stream(ctx, sql, args, true, func(row [][]byte) error {
		if row[0] == nil && p.wrapper != "" {
			return uncovered(rel)
		}
		raw := append([]byte(nil), row[0]...)
		for ; len(raw) >= heap.PageSize; raw = raw[heap.PageSize:] {
			pages = append(pages, raw[:heap.PageSize:heap.PageSize])
		}
		return nil
	})
	return pages, err
}

// uncovered is said of a relation that the function for pages was not made for.
func uncovered(rel uint32) *sources.Blind {
	return &sources.Blind{Why: fmt.Sprintf("%s does not read relation %d: it was made for another table", wrapperPage, rel), Opens: "make it for this table"}
}

func (p *pager) statement(rel uint32, fork string, at uint32, k int) (sql string, args []string) {
	if p.wrapper != "" {
		return "select " + p.wrapper + `($1::oid, b) from generate_series($2::bigint, least($3::bigint, pg_relation_size($1::oid::regclass) / 8192 - 1)) b order by b`,
			[]string{oidText(rel), strconv.Itoa(int(at)), strconv.Itoa(int(at) + k - 1)}
	}
	if p.function == "" {
		suffix := ""
		if fork != "main" {
			suffix = "_" + fork
		}
		if f := at / blocksPerFile; f > 0 {
			suffix += "." + strconv.Itoa(int(f))
		}
		return "select pg_read_binary_file(pg_relation_filepath($1::oid) || $2, $3::bigint, $4::bigint, true)",
			[]string{oidText(rel), suffix, strconv.FormatInt(int64(at%blocksPerFile)*heap.PageSize, 10), strconv.FormatInt(int64(k)*heap.PageSize, 10)}
	}
	block := "b"
	if p.old {
		block = "b::int"
	}
	return "select " + p.function + "($1::oid::regclass::text, $2, " + block + `) from generate_series($3::bigint, least($4::bigint,
 pg_relation_size($1::oid::regclass, $2) / 8192 - 1)) b order by b`,
		[]string{oidText(rel), fork, strconv.Itoa(int(at)), strconv.Itoa(int(at) + k - 1)}
}

// recheck reads pages with a wrong checksum once more: a page read from a file
// may have been half written.
func (p *pager) recheck(ctx context.Context, rel uint32, fork string, b *Blocks) error {
	if !p.checksums || fork != "main" || p.function != "" {
		return nil
	}
	for i := range b.Pages {
		block := b.From + uint32(i)
		if checksumOK(b.Pages[i], block) {
			continue
		}
		again, err := p.some(ctx, rel, fork, block, 1)
		if err != nil {
			return err
		}
		if len(again) == 1 && checksumOK(again[0], block) {
			b.Pages[i] = again[0]
			continue
		}
		b.Torn = append(b.Torn, block)
	}
	return nil
}

func checksumOK(page []byte, block uint32) bool {
	p, err := heap.DecodePage(page)
	return errors.Is(err, heap.ErrPage) && p.Upper == 0 || p.Checksum == heap.Checksum(page, block)
}

// page reads one page of a main fork.
func (p *pager) page(ctx context.Context, rel, block uint32) ([]byte, error) {
	b, err := p.read(ctx, rel, "main", block, 1)
	if err != nil {
		return nil, err
	}
	if len(b.Pages) == 0 {
		return nil, fmt.Errorf("block %d of relation %d is beyond its end: %w", block, rel, heap.ErrPage)
	}
	return b.Pages[0], nil
}

func (s *Server) spendHeap(n int64) error {
	limit := s.opt.Budget.HeapBytes
	if used := s.heapBytes.Add(n); limit >= 0 && used > limit {
		s.heapBytes.Add(-n)
		return &sources.Blind{Why: fmt.Sprintf("the %d MB of raw pages that may be read from %s are used up", limit>>20, s.name), Opens: "--budget large, or name the table with --table"}
	}
	return nil
}

func oidText(oid uint32) string { return strconv.FormatUint(uint64(oid), 10) }
