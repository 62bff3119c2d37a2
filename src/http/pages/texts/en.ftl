# What the pages say. Every message stands in every language, with the same arguments; a test keeps that.
# Names of people and applications come in as arguments and are escaped.

## On every page

title-of-page = { $title } · { $brand }
title-with-error = Error: { $title }
policy = Privacy policy
terms = Terms
opens-new-tab = (opens in a new tab)

## Sign in

sign-in = Sign in
sign-in-to = to continue to { $application }
sign-in-username = User name or email
sign-in-password = Password
sign-in-submit = Sign in
sign-in-again = Please enter your password again. { $application } asks for it.
sign-in-links = { $application }:
wrong-password = The user name or the password is not right.
missing-password = Enter your user name and your password.
too-many-seconds =
    { $seconds ->
        [one] Too many tries. You can try again in a second.
       *[other] Too many tries. You can try again in { $seconds } seconds.
    }
too-many-minutes =
    { $minutes ->
        [one] Too many tries. You can try again in a minute.
       *[other] Too many tries. You can try again in { $minutes } minutes.
    }
unavailable = We cannot check this right now. Nothing is lost; try again in a moment.
page-was-old = This page was open for too long. Please try once more.

## Choose an account

choose = Choose an account
choose-for = for { $application }
choose-continue = Continue as { $user }
choose-other = Use another account

## Consent

consent = Allow access?
consent-asks = { $application } would like to use your account { $user }.
consent-not-you = Use another account
consent-unverified = Nobody has vouched for this application. Go on only if you know who is behind it.
consent-website = Website
consent-destination = Afterwards you go to
consent-this-device = an application on this device
consent-scopes = If you allow it, it can
consent-accept = Allow
consent-deny = Don’t allow
consent-withdraw = You can withdraw this at any time on your account page.
scope-openid = know who you are: a number that stands for you, nothing else
scope-profile = see your name and your user name
scope-email = see your email address
scope-address = see your postal address
scope-phone = see your phone number
scope-offline-access = stay connected while you are not there, until you withdraw it
scope-roles = see your roles
scope-groups = see which groups you belong to
scope-other = use what it calls { $scope }

## Account

account = Your account
account-of = Signed in as { $user }
account-sign-out = Sign out
account-browser-sessions = Where you are signed in
account-browser-sessions-explained = Do you miss one of your devices, or know one of these not at all? End it, and change your password.
account-browser-session-this = this browser
account-browser-session-since = signed in { $when }
account-browser-session-used = last used { $when }
account-browser-session-end = End
account-browser-session-end-named = End the sign-in: { $user_agent }
account-browser-sessions-end-others = End all others
account-unknown-location = unknown location
account-applications = Applications with access
account-applications-none = No application has access to your account.
account-application-used = last used { $when }
account-application-since = allowed { $when }
account-application-withdraw = Withdraw
account-application-withdraw-named = Withdraw the access of { $application }
account-application-scopes = What it can do
account-password = Password
account-password-current = Current password
account-password-new = New password
account-password-again = New password, once more
account-password-hint =
    { $length ->
        [one] At least { $length } character, and none of the common ones.
       *[other] At least { $length } characters, and none of the common ones.
    }
account-password-submit = Change the password
account-password-ends = This signs you out everywhere else.
password-wrong = The current password is not right.
password-missing = Fill in all three fields.
password-not-same = The new password is not the same both times.
password-too-short =
    { $length ->
        [one] The new password needs at least { $length } character.
       *[other] The new password needs at least { $length } characters.
    }
password-too-long = The new password is too long.
password-like-name = The new password is your user name, or hardly more than that.
password-common = The new password is one of the most common ones, or hardly more than that.
done-browser-session-ended = That sign-in is over.
done-others-ended = All other sign-ins are over.
done-withdrawn = The application no longer has access.
done-password-changed = Your password is changed.

## Times and devices

moment-now = just now
moment-minutes =
    { $minutes ->
        [one] a minute ago
       *[other] { $minutes } minutes ago
    }
moment-hours =
    { $hours ->
        [one] an hour ago
       *[other] { $hours } hours ago
    }
moment-days =
    { $days ->
        [one] a day ago
       *[other] { $days } days ago
    }
moment-date =
    on { $day } { $month ->
        [1] January
        [2] February
        [3] March
        [4] April
        [5] May
        [6] June
        [7] July
        [8] August
        [9] September
        [10] October
        [11] November
       *[12] December
    } { $year }
device-on = { $browser } on { $system }
device-unknown = Unknown device

## Sign out

sign-out = Sign out
sign-out-question = Do you want to sign out of { $brand } as { $user }?
sign-out-asked = { $application } asks for this.
sign-out-everywhere = You are then signed out of every application that you entered with this account in this browser.
sign-out-confirm = Sign out
sign-out-stay = Stay signed in
signed-out = You are signed out
signed-out-explained = You can close this window.
signed-out-pending = Some applications could not be told yet. They will be, as soon as they answer.
signed-out-continue = Continue to { $application }
signed-out-going-on = Continue
signed-out-frame = Signs you out of an application

## Going back to the application

form-post = Back to the application
form-post-named = Back to { $application }
form-post-explained = If nothing happens, press Continue.
form-post-continue = Continue

## Errors

error-request = This link does not work
error-request-explained = What brought you here asked for something that is not possible. Go back to the application you came from and try once more. If it happens again, show the lines below to the people who run it.
error-not-found = There is nothing here
error-not-found-explained = The address may be mistyped, or what was here is gone.
error-refused = This is not possible
error-refused-explained = You, or the application you came from, may not do this.
error-too-many = Too many tries
error-away = Please try again in a moment
error-away-explained = A part of this service does not answer right now. Nothing was changed or lost.
error-unfinished = This is not finished yet
error-unfinished-explained = A part of this service does not answer right now. Some of it is done, and stays done. Please try again in a moment.
error-ours = Something is wrong on our side
error-ours-explained = It is not your fault. Please try again; if it happens again, show the lines below to the people who run this service.
error-expired = This sign-in has expired
error-expired-explained = It was open for too long, was finished already, or began in another browser. Go back to the application and sign in from there.
error-cookies = Your browser did not send our cookie
error-cookies-explained = Signing in needs a cookie from this site. Allow cookies for it, then go back to the application and sign in from there.
error-details = For the people who can help
error-status = Status
error-code = Error
error-description = Description
error-request-id = Request
