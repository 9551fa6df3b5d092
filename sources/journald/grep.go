package journald

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"time"

	"inquest/sources"
	"inquest/sources/logscan"
	"inquest/sources/process"
)

var diskUsage = regexp.MustCompile(`take up ([\d.]+)([BKMGTP])`)

// large reports whether a query without a window had to read more of the
// journal than is read whole. Where the size is not known it is not large.
func (j *Journal) large(ctx context.Context, w sources.Window, q sources.LogQuery) (bool, error) {
	if len(q.Needles) == 0 || (!w.From.IsZero() && !w.To.IsZero()) {
		return false, nil
	}
	argv := []string{"journalctl", "--disk-usage"}
	for _, a := range j.args {
		if !strings.HasPrefix(a, "--unit=") {
			argv = append(argv, a)
		}
	}
	var out strings.Builder
	if _, err := process.Run(ctx, process.Call{Argv: argv, Out: &out, Timeout: 20 * time.Second, Most: 1 << 20}); err != nil {
		return false, err
	}
	m := diskUsage.FindStringSubmatch(out.String())
	if m == nil {
		return false, nil
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return false, nil //nolint:nilerr // an unknown size is not a large one
	}
	return int64(n*float64(int64(1)<<(10*strings.Index("BKMGTP", m[2])))) > j.opt.Whole, nil
}

// grep lets journalctl search the messages of a journal that is too large to
// be read whole. Its coverage is from the first to the last entry; what lies between was seen
// by journalctl and not by us.
func (j *Journal) grep(ctx context.Context, q sources.LogQuery, w sources.Window) (*sources.LogResult, error) {
	first, err := j.edge(ctx, false)
	if err != nil {
		return nil, err
	}
	last, err := j.edge(ctx, true)
	if err != nil {
		return nil, err
	}
	tap := j.tap(q, w)
	r, err := j.read(ctx, w, tap, "--case-sensitive=yes", "--grep="+pattern(q.Needles))
	if err != nil {
		return nil, err
	}
	q.Found = placed(q.Found)
	res, err := r.log.Search(ctx, tap.Rest(q))
	if err != nil {
		return nil, err
	}
	v := &res.Coverage
	v.Gaps = nil
	v.Buckets, v.BucketStart, v.BucketWidth = nil, time.Time{}, 0
	if first != nil && last != nil {
		v.From, v.To = first.Time, last.Time
		if w.From.After(v.From) {
			v.From = w.From
		}
		if !w.To.IsZero() && w.To.Before(v.To) {
			v.To = w.To
		}
	}
	lines := v.Lines
	v.Lines = max(lines, 1) // the journal is not empty
	r.finish(res)
	v.Lines = lines
	v.Limits = append(v.Limits, "the journal is too large to be read whole without a window: journalctl --grep looked at the messages only, not at other fields, and gaps between the entries are not known")
	return res, nil
}

func pattern(needles []sources.Needle) string {
	seen := map[string]bool{}
	var out []string
	for _, n := range needles {
		for _, t := range logscan.Texts(n) {
			if t != "" && !seen[t] {
				seen[t] = true
				out = append(out, regexp.QuoteMeta(t))
			}
		}
	}
	return strings.Join(out, "|")
}
