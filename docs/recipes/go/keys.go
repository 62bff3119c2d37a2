package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"
)

const (
	keysLive = 5 * time.Minute  // as Tokenhouse's Cache-Control says
	coolDown = 30 * time.Second // between two fetches for the sake of an unknown `kid`
	retry    = 2 * time.Second  // between two fetches where the first one failed
)

var client = &http.Client{Timeout: 2 * time.Second}

// Keys are the issuer's published keys.
type Keys struct {
	url     string
	mutex   sync.Mutex
	set     jwk.Set
	tried   time.Time
	fetched time.Time
}

// For finds the key of a token of one type, signed with ES256.
func (keys *Keys) For(typ string) jws.KeyProvider {
	return jws.KeyProviderFunc(func(_ context.Context, sink jws.KeySink, signature *jws.Signature, _ *jws.Message) error {
		header := signature.ProtectedHeaders()
		algorithm, _ := header.Algorithm()
		said, _ := header.Type()
		kid, _ := header.KeyID()
		if algorithm != jwa.ES256() || strings.TrimPrefix(strings.ToLower(said), "application/") != typ || header.Has("crit") {
			return fmt.Errorf("not a token of type %s signed with ES256", typ)
		}
		key, err := keys.find(kid)
		if err != nil {
			return err
		}
		if of, _ := key.Algorithm(); of != jwa.ES256() {
			return errors.New("the key is of another algorithm")
		}
		sink.Key(jwa.ES256(), key)
		return nil
	})
}

func (keys *Keys) find(kid string) (jwk.Key, error) {
	keys.mutex.Lock()
	defer keys.mutex.Unlock()
	if time.Since(keys.fetched) >= keysLive && time.Since(keys.tried) >= retry {
		keys.fetch()
	}
	if time.Since(keys.fetched) >= keysLive {
		return nil, fmt.Errorf("%w: no keys", ErrUnavailable)
	}
	key, known := keys.set.LookupKeyID(kid)
	if !known && time.Since(keys.tried) >= coolDown {
		keys.fetch()
		key, known = keys.set.LookupKeyID(kid)
	}
	if !known {
		return nil, errors.New("an unknown key")
	}
	return key, nil
}

func (keys *Keys) fetch() {
	keys.tried = time.Now()
	body, err := get(keys.url)
	if err == nil {
		var set jwk.Set
		if set, err = jwk.Parse(body); err == nil {
			keys.set, keys.fetched = set, keys.tried
			return
		}
	}
	log.Printf("no fresh keys: %v", err)
}

func get(url string) ([]byte, error) {
	answer, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: status %d", url, answer.StatusCode)
	}
	return io.ReadAll(answer.Body)
}
