package main

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log"
	"sync"
	"time"

	"github.com/lestrrat-go/jwx/v3/jws"
)

// ErrUnavailable says that nobody can tell whether a token was revoked: answer 503, never 200.
var ErrUnavailable = errors.New("the token cannot be checked now")

// StatusLists tells which access tokens were revoked before they expired, from Tokenhouse's status lists (IETF Token
// Status List, draft 20). Each list that a token has named is fetched again every `ttl` seconds, two of them as it is
// served. A request looks at the bits in memory; only the first ones that meet a list wait for it.
type StatusLists struct {
	keys  *Keys
	lists sync.Map // of *statusList by `uri`
}

type entry struct {
	Index int    `json:"idx"`
	URI   string `json:"uri"`
}

type statusList struct {
	begin sync.Once
	tried chan struct{}
	mutex sync.RWMutex
	bits  []byte
	said  listClaims
}

type listClaims struct {
	Subject  string `json:"sub"`
	IssuedAt int64  `json:"iat"`
	Expires  int64  `json:"exp"`
	TTL      int64  `json:"ttl"`
	List     struct {
		Bits int    `json:"bits"`
		Lst  string `json:"lst"`
	} `json:"status_list"`
}

// Revoked looks at the entry that an access token names. The token's signature and claims have been checked before.
func (lists *StatusLists) Revoked(at entry) (bool, error) {
	found, _ := lists.lists.LoadOrStore(at.URI, &statusList{tried: make(chan struct{}), said: listClaims{TTL: 1}})
	list := found.(*statusList)
	list.begin.Do(func() { go lists.follow(at.URI, list) })
	<-list.tried
	list.mutex.RLock()
	defer list.mutex.RUnlock()
	if time.Now().Unix() >= list.said.Expires || at.Index < 0 || at.Index >= 8*len(list.bits) {
		return false, ErrUnavailable
	}
	return list.bits[at.Index>>3]>>(at.Index&7)&1 == 1, nil
}

func (lists *StatusLists) follow(uri string, list *statusList) {
	for first := true; ; first = false {
		// Whatever went wrong: the list that is there is good until its `exp`.
		if err := lists.fetch(uri, list); err != nil {
			log.Printf("no fresh status list: %s: %v", uri, err)
		}
		if first {
			close(list.tried)
		}
		time.Sleep(time.Duration(list.said.TTL) * time.Second)
	}
}

func (lists *StatusLists) fetch(uri string, list *statusList) error {
	token, err := get(uri)
	if err != nil {
		return err
	}
	payload, err := jws.Verify(token, jws.WithKeyProvider(lists.keys.For("statuslist+jwt")))
	if err != nil {
		return err
	}
	var said listClaims
	if err := json.Unmarshal(payload, &said); err != nil {
		return err
	}
	if said.Subject != uri || said.TTL < 1 || said.List.Bits != 1 {
		return errors.New("this is not the list that was asked for, or not one of one bit a token")
	}
	compressed, err := base64.RawURLEncoding.DecodeString(said.List.Lst)
	if err != nil {
		return err
	}
	reader, err := zlib.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return err
	}
	octets, err := io.ReadAll(reader)
	if err != nil {
		return err
	}
	list.mutex.Lock()
	defer list.mutex.Unlock()
	if said.IssuedAt >= list.said.IssuedAt { // a cache on the way may still have an older one
		list.bits, list.said = octets, said
	}
	return nil
}
