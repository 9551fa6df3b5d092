package command

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"inquest/sources"
	"inquest/sources/logscan"
	"inquest/sources/process"
)

// docker reads the log of one container: what it wrote to standard output and
// to standard error come apart.
type docker struct{ container string }

// Docker returns the source of docker logs for a container's name or id.
func Docker(container string, opt Options) (*Source, error) {
	if container == "" || strings.HasPrefix(container, "-") {
		return nil, &sources.Blind{Why: fmt.Sprintf("%q is no container's name", container), Opens: "give a name or an id as docker ps shows it"}
	}
	opt.Format = orTimestamped(opt.Format)
	return newSource("docker:"+container, opt, &docker{container: container}), nil
}

func (d *docker) bounded() bool { return true }

func (d *docker) argv(w sources.Window) []string {
	argv := []string{"docker", "logs", "--timestamps"}
	if !w.From.IsZero() {
		argv = append(argv, "--since", w.From.Format(time.RFC3339))
	}
	if !w.To.IsZero() {
		argv = append(argv, "--until", w.To.Format(time.RFC3339))
	}
	return append(argv, d.container)
}

// check asks for the container's state and how its log is kept.
func (d *docker) check(ctx context.Context, _ *Source) (string, error) {
	var out strings.Builder
	end, err := process.Run(ctx, process.Call{
		Argv: []string{"docker", "inspect", "--type", "container", "--format", "{{.State.Status}}, log driver {{.HostConfig.LogConfig.Type}}", d.container},
		Out:  &out, Timeout: 15 * time.Second, Most: 1 << 20,
	})
	if err != nil {
		return "", err
	}
	if end.Why != "" {
		return "", &sources.Blind{Why: "docker inspect " + end.Why, Opens: dockerRemedy(end.Stderr)}
	}
	return "container " + d.container + ", " + strings.TrimSpace(out.String()), nil
}

func dockerRemedy(stderr string) string {
	switch {
	case strings.Contains(stderr, "permission denied"):
		return "run as a user of the docker group"
	case strings.Contains(stderr, "No such"):
		return "check the name with docker ps -a; a removed container's log is gone with it"
	case strings.Contains(stderr, "daemon running"):
		return "start docker, or set DOCKER_HOST"
	case strings.Contains(stderr, "does not support reading"):
		return "its log driver sends the lines elsewhere: read them there"
	}
	return "run the command by hand to see what is wrong"
}

var dockerTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(?:Z|[+-]\d\d:\d\d) `)

func (d *docker) fetch(ctx context.Context, s *Source, w sources.Window, tap *logscan.Tap) (*kept, error) {
	p := newParts(&s.store, tap)
	defer p.close()
	var mu sync.Mutex
	add := func(part string, line []byte) error {
		mu.Lock()
		defer mu.Unlock()
		return p.add(part, line)
	}
	argv := d.argv(w)
	lines := &process.Lines{Each: func(line []byte, _ bool) error { return add(d.container+" stdout", line) }}
	var kept0 error
	end, err := process.Run(ctx, process.Call{
		Argv: argv, Out: lines, Timeout: s.opt.Timeout, Most: s.opt.Most,
		Err: func(line []byte) bool {
			if !dockerTime.Match(line[:min(len(line), 64)]) {
				return false
			}
			if err := add(d.container+" stderr", append(line, '\n')); err != nil && kept0 == nil {
				kept0 = err
			}
			return true
		},
	})
	if err == nil {
		err = cmpErr(lines.Flush(), kept0)
	}
	if err != nil {
		return nil, err
	}
	k := &kept{shown: joined(argv)}
	if end.Why != "" {
		k.broken, k.opens = "docker logs "+end.Why, dockerRemedy(end.Stderr)
	}
	if k.log, k.bytes, err = p.finish(); err != nil {
		return nil, err
	}
	k.limits = []string{"docker keeps what its log driver's max-size and max-file allow, and nothing of a container that was removed and made anew"}
	return k, nil
}
