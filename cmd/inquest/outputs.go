package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/pflag"

	"inquest/sources"
	"inquest/sources/command"
	"inquest/sources/journald"
)

// outputs are the logs that other programs print, and those that a store holds.
type outputs struct {
	commands, ssh, kubectl, docker, journals []string
	loki, elastic                            []string
}

func (o *outputs) register(fs *pflag.FlagSet) {
	fs.StringArrayVar(&o.journals, "journal", nil, "the systemd journal, of one `UNIT` (--journal=postgresql.service) or of a folder copied from another host (--journal=dir:PATH); repeatable")
	fs.Lookup("journal").NoOptDefVal = wholeJournal
	fs.StringArrayVar(&o.commands, "command", nil, "`NAME=CMD` whose output is a log: any command, with {from} {to} {id} filled in, each as one argument. "+
		"It is run by sh as you are: that it only reads is up to you; repeatable")
	fs.StringArrayVar(&o.ssh, "ssh", nil, "`HOST:PATH` of logs on another host: a file with its rotations, a glob or a folder, searched there by your own ssh (BatchMode); repeatable")
	fs.StringArrayVar(&o.kubectl, "kubectl", nil, "`ARGS` of kubectl logs, such as '-n prod deploy/api': all containers, previous ones too; repeatable")
	fs.StringArrayVar(&o.docker, "docker", nil, "log of the container `NAME`; repeatable")
	fs.StringArrayVar(&o.loki, "loki", nil, "`URL,SELECTOR` of logs in Loki, such as 'https://loki:3100,{app=\"api\"}', searched there; tenant and credentials come from the configuration (api-headers), or from LOKI_ORG_ID and its like where LOKI_ADDR is that server; repeatable")
	fs.StringArrayVar(&o.elastic, "elastic", nil, "`URL,INDEX` of logs in Elasticsearch or OpenSearch, such as 'https://es:9200,logs-*', searched there; credentials come from the configuration (api-headers); repeatable")
}

// named is how many sources the flags name.
func (o *outputs) named() int {
	return len(o.commands) + len(o.kubectl) + len(o.docker) + len(o.journals) + len(o.ssh) + len(o.loki) + len(o.elastic)
}

// wholeJournal is what --journal without a value means.
const wholeJournal = "all"

var journalUnit = regexp.MustCompile(`^(?:dir:.+|[\w@:.\\-]+\.(?:service|socket|timer|scope|slice|mount|target|path|swap|device|automount))$`)

// joinJournal lets --journal be followed by its unit or folder as a word of its
// own: a flag whose value may be left out takes none that way, and what ends in a unit's type or begins
// with dir: is no record's id.
func joinJournal(args []string) []string {
	var out []string
	for i := 0; i < len(args); i++ {
		if args[i] == "--" {
			return append(out, args[i:]...)
		}
		if args[i] == "--journal" && i+1 < len(args) && journalUnit.MatchString(args[i+1]) {
			out = append(out, args[i]+"="+args[i+1])
			i++
			continue
		}
		out = append(out, args[i])
	}
	return out
}

var commandName = regexp.MustCompile(`^[\w.-]+$`)

// check reports a command without a name.
func (o *outputs) check() error {
	seen := map[string]bool{}
	for _, c := range o.commands {
		name, text, ok := strings.Cut(c, "=")
		if !ok || !commandName.MatchString(name) || strings.TrimSpace(text) == "" {
			return usage("--command %q is not of the form NAME=CMD, such as 'api=aws logs tail /api --since {from}'", c)
		}
		if seen[name] {
			return usage("--command gives two commands the name %q", name)
		}
		seen[name] = true
	}
	return o.checkStores()
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
	for _, what := range r.outputs.journals {
		if what == wholeJournal {
			what = ""
		}
		j, err := journald.Open(what, journald.Options{Options: logOptions(r, p, "journal", "journal:"+what, what), Window: r.Window})
		if err != nil {
			out = append(out, missing("journal:"+what, sources.KindJournal, err))
			continue
		}
		out = append(out, j)
	}
	for _, target := range r.outputs.ssh {
		s, err := command.SSH(target, opt(target, "ssh:"+target))
		add("ssh:"+target, s, err)
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
