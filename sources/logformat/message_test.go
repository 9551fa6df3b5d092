package logformat

import (
	"net/http"
	"testing"

	"inquest/sources"
)

func TestRequestInAMessage(t *testing.T) {
	for _, tt := range []struct {
		message, method, path string
		status                int
	}{
		{"c.p.ParcelApi [deadbeef] POST /parcels -> 202 parcel=PX888888", "POST", "/parcels", 202},
		{"POST /orders 201 12.345 ms - 98", "POST", "/orders", 201},
		{`"DELETE /v1/orders/7 HTTP/1.1" 204 0`, "DELETE", "/v1/orders/7", 204},
		{"HTTP POST /api/orders responded 201 in 45.1234 ms", "POST", "/api/orders", 201},
		{"request GET /x?id=4, status=404", "GET", "/x?id=4", 404},
		{"[req-1] PUT /a/b: completed with status code: 409", "PUT", "/a/b", 409},
		{"GET /a => generated 20 bytes", "GET", "/a", 0},
		{"POST /orders took 201 ms", "POST", "/orders", 0},
		{"DELETE /orders/500", "DELETE", "/orders/500", 0},
		{"Completed 201 Created in 12ms (Views: 0.2ms)", "", "", 201},
		{"[4f1c] Completed 500 Internal Server Error in 3ms", "", "", 500},
		{"calling POST /charges of payments -> 201", "", "", 0},
		{"HTTP client: POST /charges returned 201", "", "", 0},
		{"POST https://payments.example/charges returned 201", "", "", 0},
		{"Request finished HTTP/1.1 DELETE http://shop/orders/7 - 204 - application/json 3.1ms", "DELETE", "/orders/7", 204},
		{"Request finished HTTP/2 POST https://shop:8443/orders?x=1 application/json 23 - 201 - application/json 3ms", "POST", "/orders?x=1", 201},
		{"Request starting HTTP/1.1 DELETE http://shop/orders/7 - -", "", "", 0},
		{"Sending HTTP request DELETE http://payments/charges/7", "", "", 0},
		{"Task POST office 201", "", "", 0},
		{"Completed 2019 imports", "", "", 0},
		{"", "", "", 0},
	} {
		e := sources.Event{Message: tt.message}
		fromMessage(&e)
		if e.Method != tt.method || e.Path != tt.path || e.Status != tt.status || e.Op != opOfMethod(tt.method) {
			t.Errorf("%q: %q %q %d %q", tt.message, e.Method, e.Path, e.Status, e.Op)
		}
	}
	e := sources.Event{Message: "heroku[router]: at=info", Fields: map[string]string{"method": "DELETE", "path": "/orders/7", "status": "204"}}
	if fromMessage(&e); e.Method != http.MethodDelete || e.Path != "/orders/7" || e.Status != 204 || e.Op != sources.OpDelete {
		t.Errorf("a router's pairs: %+v", e)
	}
	e = sources.Event{Message: "GET /x -> 200", Method: "POST", Path: "/y", Status: 500}
	fromMessage(&e)
	if e.Method != http.MethodPost || e.Path != "/y" || e.Status != 500 {
		t.Errorf("fields outrank the text: %+v", e)
	}
}
