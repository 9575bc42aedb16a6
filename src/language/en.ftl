# What readers are told. Names begin with the part of the house that says it; groups, and names within them, stand in
# the order of the alphabet.

## Accounts, and who a reader is

account-attempts = there were too many attempts; try again in { $seconds } s
account-away = accounts cannot be reached at the moment; try again in a few seconds
account-busy = too many people are signing in; try again in a few seconds
account-email = must be an e-mail address such as ada@example.org
account-email-taken = this e-mail address has an account; sign in instead
account-keys-away = the keys of the token's issuer cannot be had at the moment; try again in a few seconds
account-line = must be a line of at most { $max } characters
account-list = must be a list of at most { $words } texts of 1 to { $max } characters
account-name = must hold a name
account-password-empty = must not be empty
account-password-long = must have at most { $max } bytes
account-password-short = must have at least { $min } characters
account-password-text = must be a text
account-session-over = the session has ended; sign in again
account-session-unknown = this is not the token of a session on this server; sign in for one
account-sign-in = this is for readers who have signed in: show the cookie of a session, or a token
account-visitor-expired = the visitor token has expired; ask for a new one with `POST /visitor`
account-visitor-unknown = the visitor token is not one of this server; ask for a new one with `POST /visitor`
account-wrong-pair = e-mail address or password is wrong

## Answers

answer-broken-off = The answer broke off. Please try again.

## Attachments, as they are sent and fetched

attachment-already-there = this attachment has its file already; create another attachment for another file
attachment-away = attachments cannot be reached at the moment; try again in a few seconds
attachment-broken-off = the upload broke off before its end; send the file again
attachment-empty = the file is empty; send one that has something in it
attachment-is-other = its first bytes are those of something else
attachment-is-pdf = it is a PDF
attachment-link-expired = this link has expired; ask for a new one
attachment-link-wrong = this link is not one of this server, or was changed
attachment-no-text = it holds bytes that no text holds
attachment-no-utf8 = it is not text in UTF-8; save it as UTF-8
attachment-not-arrived = the file of attachment `{ $id }` has not been uploaded yet
attachment-not-found = there is no attachment `{ $id }`
attachment-not-of-message = there is no attachment with the id `{ $id }` in `params.input.attachments`
attachment-not-what-it-says = the file is not what it says it is, `{ $type }`: { $why }
attachment-off = this server takes no attachments; its operator can set `ATTACHMENTS_URL`
attachment-too-large = the file is larger than { $max } bytes; send a smaller one
attachment-too-many = too many files wait to be sent with a message; send or delete some of them, or try again tomorrow
attachment-too-slow = the file did not arrive in time: it may be silent for { $silence } s and take { $whole } s in all
attachment-type = files of type `{ $type }` are not accepted; these are: { $accepted }
attachment-uploads = too many uploads are running; try again in a few seconds

## Conversations

chat-away = the conversations cannot be reached at the moment; try again in a few seconds
chat-changed = the items of this thread were changed meanwhile; read the thread again and retry
chat-closed = This conversation is closed. Please begin a new one.
chat-closed-because = This conversation is closed: { $reason }
chat-closing = The server is about to restart. Please try again in a moment.
chat-failed = the request could not be carried out; try again
chat-form-done = this form has been answered or skipped already
chat-item-not-found = the thread has no item with this `item_id`, or nothing of the reader before it
chat-locked = This conversation is locked. Please begin a new one.
chat-locked-because = This conversation is locked: { $reason }
chat-message-too-large = `params.input.content` holds { $bytes } bytes of text; at most { $max } are accepted
chat-not-active = This conversation is not active. Please begin a new one.
chat-not-saved = Your message could not be saved just now. Please try again in a moment.
chat-still-answering = The answer before this one is still being written. Please try again in a moment.
chat-thread-not-found = there is no thread with this `thread_id`; list the threads to see which there are
chat-too-slow = the request took too long; try again

## Requests, before anybody looks at what they ask for, and what is wrong with their members

door-between-members = {"; "}
door-body-broken = the body broke off before its end
door-body-too-large = the body is larger than { $max } bytes
door-body-too-slow = the body did not arrive within { $time }
door-internal = something went wrong on our side
door-member = `{ $member }` { $problem }
door-member-count = must be a whole number from 0 on
door-member-flag = must be true or false
door-member-number = must be a whole number from 0 on, or null
door-member-numbers = must be a list of whole numbers from 0 on, or null
door-member-object = must be a JSON object
door-member-object-at = must be a JSON object (line { $line }, column { $column })
door-member-stretch = must be `limit=…&offset=…`
door-member-text = must be a text that is not empty
door-member-text-between = must be a text of { $min } to { $max } characters
door-member-text-from = must be a text of at least { $min } characters
door-member-text-or-null = must be a text or null
door-member-text-up-to = must be a text of at most { $max } characters
door-member-texts = must be a list of texts
door-member-word = must be { $words }
door-no-file = the page has no such file
door-no-page = the bundled book has no such page
door-no-route = there is nothing at `{ $path }`
door-or = {" or "}
door-path-no-text = the path is not UTF-8, and names nothing
door-too-many-requests = too many requests came from your address; try again { $wait }

## Files that an answer is written without

file-damaged = it is damaged
file-empty = it is empty
file-given-later = it is given with a later message
file-left-out-line = { $name }: { $why }.
file-left-out-one = The answer is written without { $name }: { $why }.
file-left-out-several = The answer is written without these files.
file-locked = it is protected by a password
file-missing = it did not arrive
file-refused = the model did not accept the image
file-too-large = it is too large to be read
file-too-much = there was no room left for it beside the other files
file-unreadable = it is of a kind that cannot be read here
file-unseen = it is an image, and this site's model does not see
file-wordless = no text was found in it; perhaps it was scanned

## What an answer rests on

ground-away-all = **Note:** The book could not be looked into just now. This answer does not rest on it.
ground-away-some = **Note:** The book could not be looked into just now. Not all of this answer may rest on it.
ground-not-covered = The book does not cover this, and here I answer from the book alone. Perhaps it helps to ask in other words, or about a narrower part of the subject.
ground-unsupported-all = **Note:** None of this answer was found in the book. Please check before you rely on it.
ground-unsupported-only = **Note:** This answer was not found in the book. Please check before you rely on it.
ground-unsupported-some =
    { $count ->
        [one] **Note:** One of the { $all } statements above was not found in the book. Please check before you rely on it.
       *[other] **Note:** { $count } of the { $all } statements above were not found in the book. Please check before you rely on it.
    }

## The language itself: `ltr` or `rtl`, and what its readers call it

language-direction = ltr
language-name = English

## Limits

limit-address-messages-day =
    { $count ->
        [one] 1 message has come from your network within a day.
       *[other] { $count } messages have come from your network within a day.
    }
limit-address-messages-minute =
    { $count ->
        [one] 1 message has come from your network within a minute.
       *[other] { $count } messages have come from your network within a minute.
    }
limit-address-recordings-day =
    { $count ->
        [one] 1 recording has come from your network within a day.
       *[other] { $count } recordings have come from your network within a day.
    }
limit-address-recordings-minute =
    { $count ->
        [one] 1 recording has come from your network within a minute.
       *[other] { $count } recordings have come from your network within a minute.
    }
limit-again = { $reached } Please try again { $when }.
limit-at = at { $time } UTC
limit-in-seconds =
    { $count ->
        [one] in 1 second
       *[other] in { $count } seconds
    }
limit-reader-messages-day =
    { $count ->
        [one] You have sent 1 message within a day.
       *[other] You have sent { $count } messages within a day.
    }
limit-reader-messages-minute =
    { $count ->
        [one] You have sent 1 message within a minute.
       *[other] You have sent { $count } messages within a minute.
    }
limit-reader-recordings-day =
    { $count ->
        [one] You have sent 1 recording within a day.
       *[other] You have sent { $count } recordings within a day.
    }
limit-reader-recordings-minute =
    { $count ->
        [one] You have sent 1 recording within a minute.
       *[other] You have sent { $count } recordings within a minute.
    }
limit-streams =
    { $count ->
        [one] 1 answer is on the way to you already. Please try again when one of them has ended.
       *[other] { $count } answers are on the way to you already. Please try again when one of them has ended.
    }
limit-tokens = Your answers have used up the { $count } tokens of a day.

## The model, when it fails

model-busy = The model is busy at the moment. Please try again { $when }.
model-cut = The model's answer broke off. Please try again.
model-failed = The model's provider has a problem at the moment. Please try again in a minute.
model-filtered = The model's provider does not allow an answer to this. Asking in other words may help.
model-garbled = The model sent something that is not an answer. Please try again.
model-key = This site cannot use its model: the provider does not accept the site's key. Please tell whoever runs the site.
model-no-answer = The model gave no answer to this. Please try again, or ask in other words.
model-no-quota = This site has no quota left for its model, and waiting will not help. Please tell whoever runs the site.
model-quota = This site's quota for its model is used up for today. Please come back { $when }.
model-quota-tomorrow = This site's quota for its model is used up for today. Please come back tomorrow.
model-refused = The model refused this request. Asking in other words may help.
model-resting = The model has failed several times in a row, so it is given a rest. Please try again { $when }.
model-silent = The model took too long to go on with its answer. Please try again.
model-unknown = This site cannot use its model: the provider does not know it. Please tell whoever runs the site.
model-unreachable = The model cannot be reached at the moment. Please try again in a minute.

## The offline model

offline-cannot-search = The book cannot be searched just now. Please ask again in a moment.
offline-farewell = Goodbye! The book and I will be here.
offline-greeting = Hello! Ask me anything about the book, and I will answer with what it says.
offline-nothing-asked = What would you like to know? Ask me anything about the book.
offline-nothing-found = The book has nothing on this.
offline-thanks = You are welcome! Ask whenever something else in the book is unclear.

## Profiles

profile-away = profiles cannot be reached at the moment; try again in a few seconds
profile-body = must be a JSON object
profile-choice = must be one of { $choices }
profile-exists = you have a profile already; change it with `PUT /profile`
profile-hours = must be a whole number of hours, or a range such as `8_15`, `under_5` or `20_plus`
profile-language-tag = must be a BCP 47 language tag such as `en` or `ur-PK`
profile-missing = you have no profile yet; make one with `POST /profile`
profile-of-another = the `user_id` is not yours; leave it out, or send your own
profile-user-id = must be a text

## Personalizing and translating. What is wrong with a member follows on its name

rewrite-busy = The model has too much to do at the moment. Please try again in a while; this attempt does not count.
rewrite-content-too-short = The text is too short to be written for you: it needs at least { $limit } characters.
rewrite-damaged = The model did not keep the code, the links and the formulas of the text as they are. Please try again; this attempt does not count.
rewrite-failed = The text could not be written. Please try again; this attempt does not count.
rewrite-member-page-url = must be the address of a page, of 1 to { $limit } characters
rewrite-member-same-language = must be another language than the one that the text is in
rewrite-member-tag = must be a BCP 47 language tag such as `en` or `ur-PK`
rewrite-no-model = This server has no model that can rewrite a text; its operator can set GEMINI_API_KEY, OPENAI_API_KEY, COHERE_API_KEY or OLLAMA_BASE_URL.
rewrite-profile-incomplete = Your profile does not say enough to write for you: tell with `POST /profile` or `PUT /profile` what you know and how you learn.
rewrite-quota-personalizations = You have used the { $limit } personalized texts of a day. There are new ones at 00:00 UTC.
rewrite-quota-translations = You have used the { $limit } translations of a day. There are new ones at 00:00 UTC.
rewrite-stopped = The server is about to restart. Please try again in a moment; this attempt does not count.
rewrite-too-slow = The model took too long. Please try again; this attempt does not count.

## Searches of the book

search-away = The book could not be looked into just now.
search-away-again = The book could not be looked into just now. Please try again in a moment.
search-found =
    { $count ->
        [one] Found one passage in the book
       *[other] Found { $count } passages in the book
    }
search-found-nothing = Found nothing in the book
search-looking = Looking in the book for “{ $query }”
search-nothing = The book has nothing about this.
search-title = Searching the book

## The doors of few words

simple-let-go = You read the answer too slowly, and were let go. It is still being written: read the conversation again in a moment.
simple-no-conversation = there is no conversation with this `conversation_id`; `/chat/history` lists those there are

## Recordings

transcription-empty = the recording is empty
transcription-too-large = the recording has { $bytes } bytes; it may have { $max }
transcription-type = recordings of the type `{ $type }` cannot be read; send audio/webm, audio/mp4, audio/ogg, audio/wav, audio/mpeg or audio/flac

## The socket

socket-crowded = { $max } requests are being answered here already; wait for one to end

## How long to wait for the model

wait-hours = in about { $count } hours
wait-minute = in a minute
wait-minutes = in about { $count } minutes
wait-second = in a second
wait-seconds = in { $count } seconds

## The page at `/`

playground-title = Ask the book
playground-threads = Conversations
playground-conversation = Conversation
playground-new = New conversation
playground-hint = Ask a question about the book. The answer comes as it is written, with links to the pages that it rests on.
playground-question = Your question
playground-send = Send
playground-stop = Stop
playground-thinking = An answer is on its way …
playground-complete = The answer is complete.
playground-stopped = The answer was stopped.
playground-away = The server cannot be reached at the moment. Please try again.
playground-retry = Try again
playground-delete = Delete
playground-sure = Delete this conversation for good?
playground-sources = Sources
playground-reader = You:
playground-tutor = Tutor:
playground-other = Only a page with the ChatKit widget can show this:
playground-book = The book
playground-docs = The interface
playground-readme = README
playground-noscript = This page needs JavaScript.
