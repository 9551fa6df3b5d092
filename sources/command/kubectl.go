package command

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"inquest/sources"
	"inquest/sources/logscan"
	"inquest/sources/process"
)

// kubectl reads the logs of all containers of a pod, a deployment or a
// selector, and of the containers that ran before a restart.
type kubectl struct{ args []string }

// Kubectl returns the source of kubectl logs with a person's arguments, such as
// "-n prod deploy/api" or "-n prod -l app=api". They are split like a shell does and
// given to kubectl without one.
func Kubectl(args string, opt Options) (*Source, error) {
	list, err := words(args)
	if err != nil {
		return nil, err
	}
	if len(list) > 0 && list[0] == "logs" {
		list = list[1:]
	}
	if len(list) == 0 {
		return nil, &sources.Blind{Why: "kubectl was given nothing to read", Opens: "give what kubectl logs takes, such as --kubectl '-n prod deploy/api'"}
	}
	if has(list, "-f", "--follow") {
		return nil, &sources.Blind{Why: "kubectl logs --follow never ends", Opens: "leave --follow out"}
	}
	opt.Format = orTimestamped(opt.Format)
	return newSource("kubectl:"+strings.Join(list, " "), opt, &kubectl{args: list}), nil
}

func orTimestamped(format string) string {
	if format == "" {
		return "timestamped"
	}
	return format
}

func (k *kubectl) bounded() bool { return !has(k.args, "--since", "--since-time") }

func (k *kubectl) argv(w sources.Window, previous bool) []string {
	argv := []string{"kubectl", "logs", "--timestamps", "--prefix"}
	if !has(k.args, "-c", "--container", "--all-containers") {
		argv = append(argv, "--all-containers")
	}
	if !has(k.args, "--tail") {
		argv = append(argv, "--tail=-1")
	}
	if has(k.args, "-l", "--selector") && !has(k.args, "--max-log-requests") {
		argv = append(argv, "--max-log-requests=100")
	}
	if !w.From.IsZero() && k.bounded() {
		argv = append(argv, "--since-time="+w.From.Format(time.RFC3339))
	}
	if previous {
		argv = append(argv, "--previous", "--ignore-errors")
	}
	return append(argv, k.args...)
}

// check reads one line.
func (k *kubectl) check(ctx context.Context, _ *Source) (string, error) {
	argv := k.argv(sources.Window{}, false)
	for i, a := range argv {
		if a == "--tail=-1" {
			argv[i] = "--tail=1"
		}
	}
	end, err := process.Run(ctx, process.Call{Argv: argv, Timeout: 15 * time.Second})
	if err != nil {
		return "", err
	}
	if end.Why != "" {
		return "", &sources.Blind{Why: "kubectl logs " + end.Why, Opens: kubectlRemedy(end.Stderr)}
	}
	return "containers of " + joined(k.args), nil
}

func kubectlRemedy(stderr string) string {
	switch {
	case strings.Contains(stderr, "orbidden"):
		return "ask for the right to get pods/log in that namespace"
	case strings.Contains(stderr, "NotFound") || strings.Contains(stderr, "not found"):
		return "check the name and the namespace (-n)"
	case strings.Contains(stderr, "nauthorized") || strings.Contains(stderr, "logged in"):
		return "log in to the cluster first"
	case strings.Contains(stderr, "connect") || strings.Contains(stderr, "refused"):
		return "check the context (kubectl config current-context) and the network"
	}
	return "run the command by hand to see what is wrong"
}

func (k *kubectl) fetch(ctx context.Context, s *Source, w sources.Window, tap *logscan.Tap) (*kept, error) {
	p := newParts(&s.store, tap)
	defer p.close()
	out := &kept{}
	for _, previous := range []bool{true, false} {
		if previous && has(k.args, "-p", "--previous") {
			continue
		}
		argv := k.argv(w, previous)
		out.shown = strings.TrimPrefix(out.shown+"; "+joined(argv), "; ")
		end, err := k.run(ctx, s, argv, p, previous)
		if err != nil {
			return nil, err
		}
		switch {
		case end.Why == "":
		case previous:
			out.limits = append(out.limits, "no log of containers that ran before a restart: kubectl logs --previous "+end.Why)
		default:
			out.broken, out.opens = "kubectl logs "+end.Why, kubectlRemedy(end.Stderr)
		}
	}
	var err error
	if out.log, out.bytes, err = p.finish(); err != nil {
		return nil, err
	}
	out.limits = append(out.limits, "kubectl logs gives the newest file of each container's log (10 MiB by default) and only pods that still exist: what was rotated or belonged to a deleted pod is not here")
	if p.lost > 0 {
		out.limits = append(out.limits, fmt.Sprintf("%d lines of more than %d containers were not kept", p.lost, mostParts))
	}
	return out, nil
}

var podPrefix = regexp.MustCompile(`^\[pod/([^\]\s]+)\] `)

// run parts the containers' lines by their prefix.
func (k *kubectl) run(ctx context.Context, s *Source, argv []string, p *parts, previous bool) (process.End, error) {
	name := "log"
	messages := &bytes.Buffer{}
	lines := &process.Lines{Each: func(line []byte, first bool) error {
		if m := podPrefix.FindSubmatchIndex(line[:min(len(line), 600)]); first && m != nil {
			name = string(line[m[2]:m[3]])
			if previous {
				name += " (previous)"
			}
			line = line[m[1]:]
		} else if first {
			// kubectl's own words, such as "error: previous terminated container … not found".
			if messages.Len() < 1<<10 {
				messages.Write(line)
			}
			return nil
		}
		return p.add(name, line)
	}}
	end, err := process.Run(ctx, process.Call{Argv: argv, Out: lines, Timeout: s.opt.Timeout, Most: s.opt.Most})
	if err == nil {
		err = lines.Flush()
	}
	if end.Why != "" && end.Stderr == "" && messages.Len() > 0 {
		end.Why += ": " + strings.ReplaceAll(strings.TrimSpace(messages.String()), "\n", "; ")
	}
	return end, err
}
