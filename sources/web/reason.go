package web

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"

	"inquest/sources"
)

// Reason turns an error of the connection into what was found and what to do;
// the sentence goes on behind the name of whoever was asked. flag is where the
// address was given, such as "--api". It quotes no URL.
func Reason(ctx context.Context, err error, flag string) *sources.Blind {
	var (
		dns       *net.DNSError
		unknown   x509.UnknownAuthorityError
		wrongHost x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
	)
	const trust = "check the host's name and the certificates of this computer (SSL_CERT_FILE); it is not asked without trust"
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	switch {
	case errors.As(err, &dns) && !dns.IsTimeout:
		return &sources.Blind{Why: "is not known to the name server", Opens: "check the host in " + flag}
	case errors.As(err, &unknown):
		return &sources.Blind{Why: "shows a certificate of an authority that this computer does not trust", Opens: trust}
	case errors.As(err, &wrongHost):
		return &sources.Blind{Why: "shows a certificate for another host", Opens: trust}
	case errors.As(err, &invalid):
		return &sources.Blind{Why: "shows a certificate that is not valid: " + invalid.Error(), Opens: trust}
	case errors.As(err, &record), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return &sources.Blind{Why: "does not speak TLS on this port", Opens: "write http:// in " + flag + ", or name the right port"}
	case errors.Is(err, syscall.ECONNREFUSED):
		return &sources.Blind{Why: "refuses the connection", Opens: "check the host and port in " + flag + ", and that it runs"}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), timeout(err):
		return &sources.Blind{Why: "did not answer in time", Opens: "run the step again when it is quicker"}
	case errors.Is(ctx.Err(), context.Canceled):
		return &sources.Blind{Why: "was not waited for: cancelled", Opens: "run the step again"}
	case errors.Is(err, syscall.ECONNRESET), strings.HasSuffix(err.Error(), "EOF"):
		return &sources.Blind{Why: "closed the connection without an answer"}
	}
	return &sources.Blind{Why: "gave no answer: " + err.Error(), Opens: "check " + flag}
}

func timeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}
