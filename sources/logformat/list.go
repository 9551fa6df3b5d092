package logformat

import (
	"fmt"
	"strings"
)

// All returns every format, the most telling first; plain text, which fits
// anything, is the last.
func All() []*Format { return all }

var all = []*Format{
	postgresJSON(),
	postgresCSV(),
	postgresStderr(),
	journald(),
	jsonLines(),
	serilogText(),
	accessLog(),
	haproxy(),
	loadBalancer(),
	envoy(),
	lambda(),
	iis(),
	syslog5424(),
	criLog(),
	klog(),
	railsLog(),
	jvmLog(),
	pythonLog(),
	dotnetConsole(),
	syslog3164(),
	timestamped(),
	streamed(),
	logfmtLines(),
	goLog(),
	csvHeader(),
	plainText(),
}

// Named returns the format of that name, or an error that lists the names.
func Named(name string) (*Format, error) {
	names := make([]string, 0, len(all))
	for _, f := range all {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return nil, fmt.Errorf("log format %q is not known; the formats are %s", name, strings.Join(names, ", "))
}
