# Was die Seiten sagen. Jede Nachricht steht in jeder Sprache, mit denselben Argumenten; ein Test wacht darüber.
# Namen von Menschen und Anwendungen kommen als Argumente herein und werden maskiert.

## Auf jeder Seite

title-of-page = { $title } · { $brand }
title-with-error = Fehler: { $title }
policy = Datenschutz
terms = Nutzungsbedingungen
opens-new-tab = (öffnet einen neuen Tab)

## Anmelden

sign-in = Anmelden
sign-in-to = weiter zu { $application }
sign-in-username = Benutzername oder E-Mail
sign-in-password = Passwort
sign-in-submit = Anmelden
sign-in-again = Bitte geben Sie Ihr Passwort noch einmal ein. { $application } verlangt es.
sign-in-links = { $application }:
wrong-password = Der Benutzername oder das Passwort stimmt nicht.
missing-password = Geben Sie Ihren Benutzernamen und Ihr Passwort ein.
too-many-seconds =
    { $seconds ->
        [one] Zu viele Versuche. In einer Sekunde können Sie es wieder versuchen.
       *[other] Zu viele Versuche. In { $seconds } Sekunden können Sie es wieder versuchen.
    }
too-many-minutes =
    { $minutes ->
        [one] Zu viele Versuche. In einer Minute können Sie es wieder versuchen.
       *[other] Zu viele Versuche. In { $minutes } Minuten können Sie es wieder versuchen.
    }
unavailable = Das lässt sich gerade nicht prüfen. Nichts ist verloren; versuchen Sie es gleich noch einmal.
page-was-old = Diese Seite war zu lange offen. Bitte versuchen Sie es noch einmal.

## Ein Konto wählen

choose = Konto wählen
choose-for = für { $application }
choose-continue = Weiter als { $user }
choose-other = Ein anderes Konto verwenden

## Zustimmung

consent = Zugriff erlauben?
consent-asks = { $application } möchte Ihr Konto { $user } verwenden.
consent-not-you = Ein anderes Konto verwenden
consent-unverified = Für diese Anwendung hat sich niemand verbürgt. Fahren Sie nur fort, wenn Sie wissen, wer dahintersteht.
consent-website = Website
consent-destination = Danach geht es weiter zu
consent-this-device = einer Anwendung auf diesem Gerät
consent-scopes = Wenn Sie zustimmen, kann sie
consent-accept = Erlauben
consent-deny = Nicht erlauben
consent-withdraw = Sie können das jederzeit auf Ihrer Kontoseite widerrufen.
scope-openid = wissen, wer Sie sind: eine Nummer, die für Sie steht, sonst nichts
scope-profile = Ihren Namen und Ihren Benutzernamen sehen
scope-email = Ihre E-Mail-Adresse sehen
scope-address = Ihre Postanschrift sehen
scope-phone = Ihre Telefonnummer sehen
scope-offline-access = verbunden bleiben, während Sie nicht da sind, bis Sie es widerrufen
scope-roles = Ihre Rollen sehen
scope-groups = sehen, zu welchen Gruppen Sie gehören
scope-other = nutzen, was sie { $scope } nennt

## Konto

account = Ihr Konto
account-of = Angemeldet als { $user }
account-sign-out = Abmelden
account-browser-sessions = Wo Sie angemeldet sind
account-browser-sessions-explained = Vermissen Sie eines Ihrer Geräte, oder kennen Sie eines davon gar nicht? Beenden Sie die Anmeldung und ändern Sie Ihr Passwort.
account-browser-session-this = dieser Browser
account-browser-session-since = angemeldet { $when }
account-browser-session-used = zuletzt benutzt { $when }
account-browser-session-end = Beenden
account-browser-session-end-named = Anmeldung beenden: { $user_agent }
account-browser-sessions-end-others = Alle anderen beenden
account-unknown-location = Ort unbekannt
account-applications = Anwendungen mit Zugriff
account-applications-none = Keine Anwendung hat Zugriff auf Ihr Konto.
account-application-used = zuletzt benutzt { $when }
account-application-since = erlaubt { $when }
account-application-withdraw = Widerrufen
account-application-withdraw-named = Zugriff widerrufen: { $application }
account-application-scopes = Was sie darf
account-password = Passwort
account-password-current = Aktuelles Passwort
account-password-new = Neues Passwort
account-password-again = Neues Passwort, noch einmal
account-password-hint =
    { $length ->
        [one] Mindestens { $length } Zeichen, und keines der verbreiteten.
       *[other] Mindestens { $length } Zeichen, und keines der verbreiteten.
    }
account-password-submit = Passwort ändern
account-password-ends = Damit werden Sie überall sonst abgemeldet.
password-wrong = Das aktuelle Passwort stimmt nicht.
password-missing = Füllen Sie alle drei Felder aus.
password-not-same = Das neue Passwort ist nicht beide Male dasselbe.
password-too-short =
    { $length ->
        [one] Das neue Passwort braucht mindestens { $length } Zeichen.
       *[other] Das neue Passwort braucht mindestens { $length } Zeichen.
    }
password-too-long = Das neue Passwort ist zu lang.
password-like-name = Das neue Passwort ist Ihr Benutzername oder kaum mehr als das.
password-common = Das neue Passwort ist eines der verbreitetsten oder kaum mehr als das.
done-browser-session-ended = Diese Anmeldung ist beendet.
done-others-ended = Alle anderen Anmeldungen sind beendet.
done-withdrawn = Die Anwendung hat keinen Zugriff mehr.
done-password-changed = Ihr Passwort ist geändert.

## Zeiten und Geräte

moment-now = gerade eben
moment-minutes =
    { $minutes ->
        [one] vor einer Minute
       *[other] vor { $minutes } Minuten
    }
moment-hours =
    { $hours ->
        [one] vor einer Stunde
       *[other] vor { $hours } Stunden
    }
moment-days =
    { $days ->
        [one] vor einem Tag
       *[other] vor { $days } Tagen
    }
moment-date =
    am { $day }. { $month ->
        [1] Januar
        [2] Februar
        [3] März
        [4] April
        [5] Mai
        [6] Juni
        [7] Juli
        [8] August
        [9] September
        [10] Oktober
        [11] November
       *[12] Dezember
    } { $year }
device-on = { $browser } unter { $system }
device-unknown = Unbekanntes Gerät

## Abmelden

sign-out = Abmelden
sign-out-question = Möchten Sie sich als { $user } von { $brand } abmelden?
sign-out-asked = { $application } bittet darum.
sign-out-everywhere = Sie werden dann von jeder Anwendung abgemeldet, die Sie in diesem Browser mit diesem Konto betreten haben.
sign-out-confirm = Abmelden
sign-out-stay = Angemeldet bleiben
signed-out = Sie sind abgemeldet
signed-out-explained = Sie können dieses Fenster schließen.
signed-out-pending = Manche Anwendungen konnten noch nicht benachrichtigt werden. Das geschieht, sobald sie antworten.
signed-out-continue = Weiter zu { $application }
signed-out-going-on = Weiter
signed-out-frame = Meldet Sie von einer Anwendung ab

## Zurück zur Anwendung

form-post = Zurück zur Anwendung
form-post-named = Zurück zu { $application }
form-post-explained = Wenn nichts geschieht, drücken Sie auf „Weiter“.
form-post-continue = Weiter

## Fehler

error-request = Dieser Link funktioniert nicht
error-request-explained = Was Sie hierher gebracht hat, verlangt etwas, das nicht möglich ist. Gehen Sie zurück zu der Anwendung, von der Sie kommen, und versuchen Sie es noch einmal. Geschieht es wieder, zeigen Sie denen, die sie betreiben, die Zeilen unten.
error-not-found = Hier ist nichts
error-not-found-explained = Vielleicht ist die Adresse vertippt, oder was hier war, ist fort.
error-refused = Das ist nicht möglich
error-refused-explained = Sie oder die Anwendung, von der Sie kommen, dürfen das nicht.
error-too-many = Zu viele Versuche
error-away = Bitte versuchen Sie es gleich noch einmal
error-away-explained = Ein Teil dieses Dienstes antwortet gerade nicht. Nichts wurde geändert, nichts ist verloren.
error-unfinished = Das ist noch nicht fertig
error-unfinished-explained = Ein Teil dieses Dienstes antwortet gerade nicht. Manches ist schon erledigt und bleibt es. Bitte versuchen Sie es gleich noch einmal.
error-ours = Bei uns stimmt etwas nicht
error-ours-explained = Es liegt nicht an Ihnen. Bitte versuchen Sie es noch einmal; geschieht es wieder, zeigen Sie denen, die diesen Dienst betreiben, die Zeilen unten.
error-expired = Diese Anmeldung ist abgelaufen
error-expired-explained = Sie war zu lange offen, ist schon abgeschlossen oder begann in einem anderen Browser. Gehen Sie zurück zu der Anwendung und melden Sie sich von dort aus an.
error-cookies = Ihr Browser hat unser Cookie nicht gesendet
error-cookies-explained = Die Anmeldung braucht ein Cookie dieser Seite. Erlauben Sie Cookies für sie, gehen Sie dann zurück zu der Anwendung und melden Sie sich von dort aus an.
error-details = Für die Menschen, die helfen können
error-status = Status
error-code = Fehler
error-description = Beschreibung
error-request-id = Anfrage
