package postgres

import "inquest/sources/wal"

// oldestWAL finds the start of the oldest segment before end that the server
// still has, by asking has; left bounds the bytes from there to the end, unless
// it is negative.
func (f *Facts) oldestWAL(end wal.LSN, left int64, has func(wal.LSN) (bool, error)) (wal.LSN, error) {
	size := wal.LSN(f.SegmentSize)
	last := (end - 1) / size * size
	floor := size // the first segment of a cluster is number 1
	if left >= 0 && wal.LSN(left) < end {
		floor = max(floor, (end-wal.LSN(left)+size-1)/size*size)
	}
	if floor > last {
		return last, nil
	}
	if at, ok := f.oldestLSN(); ok && max(at, floor) <= last {
		at = max(at, floor)
		if ok, err := has(at); ok || err != nil {
			return at, err
		}
	}
	good := last
	if f.Control != nil && f.Control.RedoLSN < end {
		good = max(f.Control.RedoLSN/size*size, floor)
	}
	return narrow(good, floor, size, has)
}

// narrow finds the first position for which has holds, from one where it does
// down to floor: in growing steps back, then by halves.
func narrow(good, floor, size wal.LSN, has func(wal.LSN) (bool, error)) (wal.LSN, error) {
	bad := wal.LSN(0)
	for step := size; bad == 0 && good > floor; step *= 2 {
		at := max(good-min(step, good-floor), floor)
		ok, err := has(at)
		if err != nil {
			return 0, err
		}
		if ok {
			good = at
		} else {
			bad = at
		}
	}
	for bad != 0 && good-bad > size {
		mid := bad + (good-bad)/2/size*size
		ok, err := has(mid)
		if err != nil {
			return 0, err
		}
		if ok {
			good = mid
		} else {
			bad = mid
		}
	}
	return good, nil
}
