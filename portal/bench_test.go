package portal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balcao/balcao/portal"
)

// loopback serves the bank's own examples, and counts logins.
func loopback(b *testing.B) (config portal.Config, logins *atomic.Int64) {
	b.Helper()
	file := func(name string) http.HandlerFunc {
		data, err := os.ReadFile("testdata/" + name + ".json")
		if err != nil {
			b.Fatal(err)
		}
		return func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(data)
		}
	}
	logins = new(atomic.Int64)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/authentication", func(w http.ResponseWriter, r *http.Request) {
		logins.Add(1)
		_, _ = io.WriteString(w, `{"sessionToken": "token"}`)
	})
	mux.HandleFunc("GET /v1/processes/{process}/borrower/{borrower}", file("borrower-get.reply"))
	mux.HandleFunc("POST /v1/processes/{process}/borrower", file("borrower-create.reply"))
	server := httptest.NewServer(mux)
	b.Cleanup(server.Close)
	config = settings(server.URL, &http.Transport{MaxIdleConnsPerHost: 64})
	config.MaxPerSecond = 1_000_000 // it is the client that is measured
	return config, logins
}

// bare makes a call with nothing but net/http and encoding/json.
func bare(client *http.Client, method, url string, body, reply any) error {
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return err
		}
	}
	request, err := http.NewRequest(method, url, bytes.NewReader(data))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer token")
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	return json.NewDecoder(response.Body).Decode(reply)
}

// BenchmarkACall makes each call twice in turn, with the client and without it, against the same server, and reports how
// many times longer the client takes. Writes go out on connections of their own, with the client and without it.
func BenchmarkACall(b *testing.B) {
	var person portal.BorrowerRequest
	data, err := os.ReadFile("testdata/borrower-create.request.json")
	if err != nil {
		b.Fatal(err)
	}
	if err := json.Unmarshal(data, &person); err != nil {
		b.Fatal(err)
	}
	var plain map[string]any
	if err := json.Unmarshal(data, &plain); err != nil {
		b.Fatal(err)
	}
	for name, c := range map[string]struct {
		fresh   bool // connections
		with    func(*portal.User) error
		without func(client *http.Client, path string) error
	}{
		"read": {false, func(u *portal.User) error {
			_, err := u.Borrower(b.Context(), process, borrower)
			return err
		}, func(client *http.Client, path string) error {
			return bare(client, "GET", path+"/"+borrower.String(), nil, new(portal.Borrower))
		}},
		"write": {true, func(u *portal.User) error {
			_, err := u.CreateBorrower(b.Context(), process, person)
			return err
		}, func(client *http.Client, path string) error {
			return bare(client, "POST", path, plain, new(map[string]any))
		}},
	} {
		b.Run(name, func(b *testing.B) {
			config, _ := loopback(b)
			client, err := portal.New(config)
			if err != nil {
				b.Fatal(err)
			}
			defer client.Close()
			transport := &http.Transport{DisableKeepAlives: c.fresh}
			defer transport.CloseIdleConnections()
			user, path := client.As(maria, "en"), config.BaseURL+"/v1/processes/"+process.String()+"/borrower"
			var ours, theirs time.Duration
			for b.Loop() {
				started := time.Now()
				err := c.with(user)
				half := time.Now()
				err = errors.Join(err, c.without(&http.Client{Transport: transport}, path))
				if err != nil {
					b.Fatal(err)
				}
				ours, theirs = ours+half.Sub(started), theirs+time.Since(half)
			}
			b.ReportMetric(float64(ours)/float64(theirs), "x/overhead")
			b.ReportMetric(float64(ours)/float64(b.N), "client-ns/op")
			b.ReportMetric(float64(theirs)/float64(b.N), "bare-ns/op")
		})
	}
}

// BenchmarkAThousandCallsWithoutASession reports how many logins a thousand calls make that start together.
func BenchmarkAThousandCallsWithoutASession(b *testing.B) {
	config, logins := loopback(b)
	for b.Loop() {
		client, err := portal.New(config)
		if err != nil {
			b.Fatal(err)
		}
		user := client.As(maria, "en")
		err = errors.Join(together(1000, func(int) error {
			_, err := user.Borrower(b.Context(), process, borrower)
			return err
		})...)
		client.Close()
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(logins.Load())/float64(b.N), "logins/op")
}
