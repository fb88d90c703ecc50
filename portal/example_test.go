package portal_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
)

// A client calls for any number of users; As gives one user's view of it.
func ExampleClient() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method + " " + r.URL.Path {
		case "POST /v1/authentication":
			fmt.Fprint(w, `{"sessionToken": "eyJhbGciOiJIUzI1NiJ9"}`)
		case "POST /v1/processes/6d1f0a52-8a3e-4d0f-9f53-0f6f7c1b2a3d/borrower":
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `[{"code": "050103", "message": "taxId: already in this process"}]`)
		}
	}))
	defer server.Close()

	client, err := portal.New(portal.Config{BaseURL: server.URL, ClientID: "network", ClientSecret: "secret"})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	user := client.As(portal.Login{BrokerUID: uuid.New(), Username: "maria@example.com"}, "en")

	process := uuid.MustParse("6d1f0a52-8a3e-4d0f-9f53-0f6f7c1b2a3d")
	_, err = user.CreateBorrower(context.Background(), process, portal.BorrowerRequest{
		BorrowerTypeID: 2,
		Personal:       &portal.PersonalDataRequest{TaxID: pii.New[pii.TaxID]("299999998")},
	})
	fmt.Println(err)

	var failure *portal.Error
	if errors.As(err, &failure) && failure.Kind == portal.Refused {
		fmt.Println(failure.Messages[0].Text)
	}
	// Output:
	// portal: borrowerCreate: refused: the bank refused (status 400)
	// taxId: already in this process
}
