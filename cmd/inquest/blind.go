package main

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	inv "inquest/investigations"
	"inquest/investigations/drills"
	"inquest/ui/backend"
)

// blindSession hides the judgement, so that a person has to come to one.
type blindSession struct{ *session }

// Assessment is the session's without fate and hypotheses.
func (s blindSession) Assessment() inv.Assessment {
	a := s.session.Assessment()
	a.Judgement = inv.Judgement{Fate: inv.Fate{
		Kind: inv.FateUndetermined, Standing: inv.Undetermined,
		Summary: "A blind drill: the judgement is yours. Leave with q when you have one.",
	}}
	return a
}

// blindDesk starts one drill whose answer is hidden.
type blindDesk struct {
	*desk
	staged *staged
}

// StartDrill builds the incident and hides what inquest makes of it.
func (d *blindDesk) StartDrill(ctx context.Context, id string, progress func(backend.Progress)) (backend.Session, error) {
	x, ok := drills.Find(id)
	if !ok {
		return nil, fmt.Errorf("there is no drill %q", id)
	}
	st, err := stage(ctx, d.p, x, func(what string) { progress(backend.Progress{What: what}) })
	if err != nil {
		return nil, err
	}
	d.staged = st
	return blindSession{st.session}, nil
}

// drillBlind picks a drill at random, lets a person investigate it, asks for
// their verdict, and compares it with the truth and with inquest's own.
func (p *program) drillBlind(ctx context.Context, l look) error {
	if !p.terminal {
		return usage("a blind drill needs a terminal and a person in front of it")
	}
	if !serverFound() {
		return usage("a blind drill needs a PostgreSQL server binary: install postgresql")
	}
	list := drills.List()
	x := list[rand.IntN(len(list))]
	l.drill = x.ID
	d := &blindDesk{desk: newDesk(p)}
	if err := p.screens(ctx, d, l); err != nil {
		return err
	}
	if d.staged == nil {
		return nil
	}
	p.compareVerdict(x, d.staged.session.Assessment())
	return nil
}

func (p *program) compareVerdict(d drills.Drill, a inv.Assessment) {
	in := bufio.NewScanner(p.in)
	ask := func(question string) string {
		fmt.Fprint(p.out, question+" ")
		if !in.Scan() {
			return ""
		}
		return strings.ToLower(strings.TrimSpace(in.Text()))
	}
	fate := ask("What became of the record? (present, hidden, deleted, lost, never-committed, never-written, rekeyed, undetermined)")
	mechanism := ask("By which mechanism? (an id such as rolled-back, or enter when it cannot be told)")
	fateRight := fate == string(d.Truth.Fate) || fate == string(inv.FateUndetermined) && slices.Contains(d.Truth.Standings, inv.Undetermined)
	mechanismRight := slices.Contains(d.Truth.Mechanisms, mechanism) || mechanism == "" && (len(d.Truth.Mechanisms) == 0 || d.Truth.OrNone)
	fmt.Fprintf(p.out, "\nYour fate is %s, your mechanism is %s.\n", rightWord(fateRight), rightWord(mechanismRight))
	fmt.Fprintf(p.out, "The drill was %s: %s\n", d.ID, d.Truth.Why)
	lead := "no mechanism"
	if h, ok := a.Leading(); ok {
		lead = h.Mechanism
	}
	fmt.Fprintf(p.out, "inquest said %s (%s), %s.\n", a.Fate.Kind, a.Fate.Standing, lead)
}

func rightWord(ok bool) string {
	if ok {
		return "right"
	}
	return "wrong"
}
