package parts

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"testing"
)

// TestSieveAgreesWithAList holds the bits against a plain list of rows.
func TestSieveAgreesWithAList(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 63, 64, 65, 511, 512, 513, 10_000} {
		for _, share := range []int{0, 1, 50, 99, 100} {
			on := make([]bool, n)
			var rows []int
			for i := range on {
				if on[i] = rnd.IntN(100) < share; on[i] {
					rows = append(rows, i)
				}
			}
			s, err := Sift(context.Background(), n, func(i int) bool { return on[i] }, "", nil)
			if err != nil || s.Len() != len(rows) {
				t.Fatalf("n %d: %d rows, want %d: %v", n, s.Len(), len(rows), err)
			}
			for k, i := range rows {
				if s.At(k) != i || s.Place(i) != k {
					t.Fatalf("n %d: place %d is row %d, want %d; row %d has place %d", n, k, s.At(k), i, i, s.Place(i))
				}
			}
			if s.At(-1) != -1 || s.At(len(rows)) != -1 || s.Place(n) != len(rows) {
				t.Fatalf("n %d: wrong at the ends", n)
			}
		}
	}
}

func TestSieveMatchesAndIsCancelled(t *testing.T) {
	s, err := Sift(context.Background(), 10_000, func(i int) bool { return i%2 == 1 }, "777", strconv.Itoa)
	if err != nil || s.Len() == 0 || s.At(0) != 777 {
		t.Fatalf("%d rows, first %d: %v", s.Len(), s.At(0), err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Sift(ctx, 10_000, nil, "7", strconv.Itoa); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if all := All(5); all.Len() != 5 || all.At(4) != 4 || all.At(5) != -1 || all.Place(9) != 5 {
		t.Error("a sieve that lets all through does not")
	}
}
