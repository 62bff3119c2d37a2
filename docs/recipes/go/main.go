// A service that accepts Tokenhouse access tokens. ISSUER, AUDIENCE and PORT come from the environment.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwt"
)

var (
	issuer   = cmp.Or(os.Getenv("ISSUER"), "http://127.0.0.1:8080")
	audience = cmp.Or(os.Getenv("AUDIENCE"), issuer)
	keys     = &Keys{url: issuer + "/.well-known/jwks.json"}
	lists    = &StatusLists{keys: keys}
)

// Caller is what an access token says of whoever sends it.
type Caller struct {
	User   string `json:"user"`
	Client string `json:"client"`
	Scope  string `json:"scope"`
}

// verify checks all that can be wrong with an access token.
func verify(token string) (Caller, error) {
	good, err := jwt.Parse([]byte(token),
		jwt.WithKeyProvider(keys.For("at+jwt")),
		jwt.WithIssuer(issuer), jwt.WithAudience(audience), jwt.WithAcceptableSkew(10*time.Second),
		jwt.WithRequiredClaim("sub"), jwt.WithRequiredClaim("exp"), jwt.WithRequiredClaim("iat"), jwt.WithRequiredClaim("jti"))
	if err != nil {
		return Caller{}, err
	}
	var said struct {
		Subject string `json:"sub"`
		Client  string `json:"client_id"`
		Scope   string `json:"scope"`
		Status  *struct {
			List entry `json:"status_list"`
		} `json:"status"`
	}
	text, err := json.Marshal(good)
	if err == nil {
		err = json.Unmarshal(text, &said)
	}
	if err != nil || said.Client == "" || said.Status == nil {
		return Caller{}, errors.New("not an access token by RFC 9068 with a status")
	}
	revoked, err := lists.Revoked(said.Status.List)
	if revoked {
		err = errors.New("revoked")
	}
	return Caller{said.Subject, said.Client, said.Scope}, err
}

type callerKey struct{}

// needs lets requests pass whose access token is good and has these scopes.
func needs(next http.HandlerFunc, scopes ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") || token == "" {
			refuse(w, http.StatusUnauthorized, "Bearer", "an access token is needed")
			return
		}
		caller, err := verify(token)
		if errors.Is(err, ErrUnavailable) {
			w.Header().Set("Retry-After", "2")
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		if err != nil {
			refuse(w, http.StatusUnauthorized, `Bearer error="invalid_token"`, "the token is not good")
			return
		}
		for _, scope := range scopes {
			if !slices.Contains(strings.Fields(caller.Scope), scope) {
				refuse(w, http.StatusForbidden, `Bearer error="insufficient_scope", scope="`+scope+`"`, "a scope is missing")
				return
			}
		}
		next(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, caller)))
	}
}

func refuse(w http.ResponseWriter, status int, challenge, why string) {
	w.Header().Set("WWW-Authenticate", challenge)
	http.Error(w, why, status)
}

func notes(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(r.Context().Value(callerKey{}))
}

func main() {
	http.HandleFunc("GET /notes/", needs(notes))
	http.HandleFunc("GET /reports/", needs(notes, "reports:read"))
	log.Fatal(http.ListenAndServe("127.0.0.1:"+cmp.Or(os.Getenv("PORT"), "8000"), nil))
}
