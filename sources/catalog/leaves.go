package catalog

import (
	"encoding/json"
	"reflect"
)

// plainTable is a Table without its methods.
type plainTable Table

// MarshalJSON leaves the columns of a partition out where they are the same as the
// table's own: there may be thousands.
func (t Table) MarshalJSON() ([]byte, error) {
	p := plainTable(t)
	if len(t.Leaves) > 0 {
		p.Leaves = make([]Table, len(t.Leaves))
		for i, l := range t.Leaves {
			if reflect.DeepEqual(l.Columns, t.Columns) {
				l.Columns = nil
			}
			p.Leaves[i] = l
		}
	}
	return json.Marshal(p)
}

// UnmarshalJSON gives partitions without columns those of the table.
func (t *Table) UnmarshalJSON(b []byte) error {
	var p plainTable
	if err := json.Unmarshal(b, &p); err != nil {
		return err
	}
	for i := range p.Leaves {
		if p.Leaves[i].Columns == nil {
			p.Leaves[i].Columns = p.Columns
		}
	}
	*t = Table(p)
	return nil
}
