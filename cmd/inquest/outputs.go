package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/pflag"

	"inquest/sources"
	"inquest/sources/command"
)

// outputs are the logs that other programs print.
type outputs struct {
	commands, kubectl, docker []string
}

func (o *outputs) register(fs *pflag.FlagSet) {
	fs.StringArrayVar(&o.commands, "command", nil, "`NAME=CMD`: the output of any command is a log; {from} {to} {id} are filled in, each as one argument. "+
		"It is run by sh as you are: that it only reads is up to you; repeatable")
	fs.StringArrayVar(&o.kubectl, "kubectl", nil, "`ARGS` of kubectl logs, such as '-n prod deploy/api': all containers, previous ones too; repeatable")
	fs.StringArrayVar(&o.docker, "docker", nil, "log of the container `NAME`; repeatable")
}

// named is how many sources the flags name.
func (o *outputs) named() int { return len(o.commands) + len(o.kubectl) + len(o.docker) }

var commandName = regexp.MustCompile(`^[\w.-]+$`)

// check reports a command without a name.
func (o *outputs) check() error {
	seen := map[string]bool{}
	for _, c := range o.commands {
		name, text, ok := strings.Cut(c, "=")
		if !ok || !commandName.MatchString(name) || strings.TrimSpace(text) == "" {
			return usage("--command %q is not of the form NAME=CMD, such as 'api=gcloud logging read …'", c)
		}
		if seen[name] {
			return usage("--command gives two commands the name %q", name)
		}
		seen[name] = true
	}
	return nil
}

func openOutputs(r request, p *program) []sources.Source {
	opt := func(names ...string) command.Options {
		return command.Options{Options: logOptions(r, p, names...), ID: r.Record, Window: r.Window}
	}
	var out []sources.Source
	add := func(name string, s *command.Source, err error) {
		if err != nil {
			out = append(out, missing(name, sources.KindLog, err))
			return
		}
		out = append(out, s)
	}
	for _, c := range r.outputs.commands {
		name, text, _ := strings.Cut(c, "=")
		add(name, command.New(name, text, opt(name, "cmd:"+name)), nil)
	}
	for i, args := range r.outputs.kubectl {
		s, err := command.Kubectl(args, opt(args, "kubectl", "kubectl:"+args))
		add(fmt.Sprintf("kubectl:%d", i+1), s, err)
	}
	for _, name := range r.outputs.docker {
		s, err := command.Docker(name, opt(name, "docker:"+name))
		add("docker:"+name, s, err)
	}
	return out
}
