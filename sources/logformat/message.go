package logformat

import (
	"strconv"
	"strings"

	"inquest/sources"
)

// Many services write a request and its answer into the text of a message:
// "POST /orders -> 201", "GET /x HTTP/1.1" 404, "DELETE /x responded 204 in 3 ms".
var (
	messageRequest = lazily(`(?:^|[\s"'\[(:=])(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) (/[^\s"'\])]*)["']?`)
	messageAnswer  = lazily(`(?i)^(?: HTTP/[0-9.]+"?)?[\s:;,|-]*(?:(?:->|=>|→|>|responded|returned|returning|replied|answered|answer|response|completed|finished|with|status|statuscode|code|http)[\s:=]*){0,4}([1-5][0-9]{2})(?:$|[\s,;:)\]"'])`)
	messageAspNet  = lazily(`^Request finished HTTP/\S+ (GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) https?://[^/\s]+(/\S*)(?: \S+ \S+)? - ([1-5][0-9]{2})(?: |$)`) // Microsoft.AspNetCore.Hosting
	messageEnded   = lazily(`^(?:\[[^\]]*\] )?Completed ([1-5][0-9]{2})(?: |$)`)                                                                                // Rails
	messageClient  = lazily(`(?i)\b(?:calling|call to|outgoing|outbound|upstream|downstream|http ?client|request to|sending|proxying|forwarding|retry(?:ing)?)\b`)
)

// fromMessage reads method, path and status of a request out of the text where
// the record has no fields for them. What the text calls somebody else's answer
// is left alone: a call to another service is no answer of this one.
func fromMessage(e *sources.Event) {
	if e.Method != "" || e.Status != 0 || e.Path != "" {
		return
	}
	if m := messageEnded().FindStringSubmatch(e.Message); m != nil {
		e.Status, _ = strconv.Atoi(m[1])
		return
	}
	if m := messageAspNet().FindStringSubmatch(e.Message); m != nil {
		setRequest(e, m[1], m[2], m[3])
		return
	}
	if m := e.Fields["method"]; isMethod(m) && strings.HasPrefix(e.Fields["path"], "/") { // key=value pairs in a text, as of a router
		setRequest(e, m, e.Fields["path"], e.Fields["status"])
		return
	}
	at := messageRequest().FindStringSubmatchIndex(e.Message)
	if at == nil || messageClient().MatchString(e.Message[:at[0]]) {
		return
	}
	method := e.Message[at[2]:at[3]]
	e.Method, e.Path = method, strings.TrimRight(e.Message[at[4]:at[5]], ",;:")
	if e.Op == "" {
		e.Op = opOfMethod(method)
	}
	if m := messageAnswer().FindStringSubmatch(e.Message[at[1]:]); m != nil {
		e.Status, _ = strconv.Atoi(m[1])
	}
}

// setRequest fills in the request of an event; a status that is none stays out.
func setRequest(e *sources.Event, method, path, status string) {
	e.Method, e.Path = method, path
	if e.Op == "" {
		e.Op = opOfMethod(method)
	}
	if n, err := strconv.Atoi(status); err == nil && n >= 100 && n < 600 {
		e.Status = n
	}
}
