package main

import (
	"context"

	"github.com/spf13/pflag"

	"inquest/ui/backend"
)

func screenFlags(fs *pflag.FlagSet) {
	_ = fs
}

func (p *program) screens(ctx context.Context, d *desk, s backend.Session) error {
	return usage("no screen yet")
}
