package drills

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// cachedAnswer is an order deleted by hand whose page a cache still shows; the
// service logs to the journal.
func cachedAnswer() Drill {
	return Drill{
		ID: "cached-answer", Title: "An order can be seen and not changed", Domain: "orders",
		Story: "A customer sees an order in the shop. Every change of it is answered with 404. You have an address at which the shop answers for orders, and the service's journal.",
		Truth: byHand("Somebody with a personal login deleted the order with psql, alone at the commit. The shop's page answers 200 from a cache that holds what it read before."),
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", nil)},
		Stage: stageCachedAnswer,
	}
}

func stageCachedAnswer(ctx context.Context, s *Stage) (Scene, error) {
	sh, err := openShop(ctx, s, nil)
	if err != nil {
		return Scene{}, err
	}
	sh.write = journalAnswers
	who := sh.app()
	who.PerRequest = true
	pace := Pace{10 * time.Millisecond, 45 * time.Millisecond}
	traffic := s.Traffic(ctx, who, 3, pace, sh.step)
	victim, err := sh.placeOne(ctx)
	if err != nil {
		return Scene{}, err
	}
	if err := errors.Join(s.Pause(ctx, 300*time.Millisecond), traffic.Stop(), inPsqlAs(shopPerson)(ctx, s, victim)); err != nil {
		return Scene{}, err
	}
	again := s.Traffic(ctx, who, 2, pace, sh.step)
	for range 3 {
		begun := time.Now()
		if err := errors.Join(s.Pause(ctx, 60*time.Millisecond), sh.unchangeable(ctx, victim, begun)); err != nil {
			return Scene{}, err
		}
		sh.answered(begun, "GET", "/orders/"+victim.key(), 200, victim.key(), "from cache")
	}
	if err := again.Stop(); err != nil {
		return Scene{}, err
	}
	scene := sh.scene(victim.id, KitRights)
	return scene, scene.cache("/orders/", victim)
}

// unchangeable is a customer's change of an order that must not be there.
func (s *shop) unchangeable(ctx context.Context, o order, begun time.Time) error {
	conn, err := s.st.Connect(ctx, s.app())
	if err != nil {
		return err
	}
	tag, err := conn.Exec(ctx, "UPDATE orders SET status = 'packed' WHERE id = $1", o.id)
	if err == nil && tag.RowsAffected() != 0 {
		err = errors.New("the order could be changed")
	}
	s.answered(begun, "PATCH", "/orders/"+o.key(), 404, o.key(), "no such order")
	return errors.Join(err, s.st.Leave(ctx, conn))
}

// cache answers for one order over HTTP until the scene is closed.
func (s *Scene) cache(prefix string, o order) error {
	at, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("start the cache: %w", err)
	}
	body, err := json.Marshal(map[string]any{"id": o.id, "reference": o.reference, "status": "placed"})
	if err != nil {
		return errors.Join(err, at.Close())
	}
	srv := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if strings.TrimPrefix(r.URL.Path, prefix) != o.key() {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Age", "2740")
		w.Header().Set("X-Cache", "HIT")
		_, _ = w.Write(body) // a client that hung up needs no answer
	})}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(at) }()
	s.API = "http://" + at.Addr().String() + prefix + "{id}"
	s.linger = append(s.linger, func(context.Context) error {
		err := srv.Close()
		if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		return err
	})
	return nil
}

// journalAnswers writes what journalctl -o json prints: the service's text lines
// with the journal's own fields around them.
func journalAnswers(l *Log, service string, a answer) {
	text := orElse(a.note, "served")
	if a.status != 0 {
		text = fmt.Sprintf("%s %s -> %d in %.1f ms, order %s, %s", a.method, a.path, a.status, float64(a.took.Microseconds())/1000, orElse(a.id, "none"), text)
	}
	at := fmt.Sprint(a.at.UnixMicro())
	l.JSON(struct {
		Cursor   string `json:"__CURSOR"`
		Realtime string `json:"__REALTIME_TIMESTAMP"`
		Boot     string `json:"_BOOT_ID"`
		Host     string `json:"_HOSTNAME"`
		Unit     string `json:"_SYSTEMD_UNIT"`
		Ident    string `json:"SYSLOG_IDENTIFIER"`
		PID      string `json:"_PID"`
		Priority string `json:"PRIORITY"`
		Message  string `json:"MESSAGE"`
	}{"s=7d2f;i=" + newCode(6), at, "4c1f0a7e1f6b4f0f9a51c5a8f7f1b2aa", "shop-web-2", service + ".service", service, "812", map[string]string{"info": "6", "warn": "4", "error": "3"}[a.level()], text})
}
