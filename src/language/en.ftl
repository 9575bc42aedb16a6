# What readers are told. Names begin with the part of the house that says it.

answer-broken-off = The answer broke off. Please try again.

# Profiles. What is wrong with a member follows on its name.
profile-exists = You have a profile already; `PUT /profile` changes it.
profile-missing = You have no profile yet; `POST /profile` makes one.
profile-of-another = `user_id` is not yours: leave it out, or send your own.
profile-away = Profiles cannot be reached at the moment; please try again in a few seconds.
profile-body = must be a JSON object
profile-user-id = must be a text
profile-choice = must be one of { $choices }
profile-hours = must be a whole number of hours, or a range such as `8_15`, `under_5` or `20_plus`
profile-language-tag = must be a BCP 47 language tag such as `en` or `ur-PK`
# Personalizing and translating. What is wrong with a member follows on its name.
rewrite-no-model = This server has no model that can rewrite a text; its operator can set GEMINI_API_KEY, OPENAI_API_KEY, COHERE_API_KEY or OLLAMA_BASE_URL.
rewrite-too-slow = The model took too long. Please try again; this attempt does not count.
rewrite-damaged = The model did not keep the code, the links and the formulas of the text as they are. Please try again; this attempt does not count.
rewrite-busy = The model has too much to do at the moment. Please try again in a while; this attempt does not count.
rewrite-failed = The text could not be written. Please try again; this attempt does not count.
rewrite-stopped = The server is about to restart. Please try again in a moment; this attempt does not count.
rewrite-quota-personalizations = You have used the { $limit } personalized texts of a day. There are new ones at 00:00 UTC.
rewrite-quota-translations = You have used the { $limit } translations of a day. There are new ones at 00:00 UTC.
rewrite-profile-incomplete = Your profile does not say enough to write for you: tell with `POST /profile` or `PUT /profile` what you know and how you learn.
rewrite-content-too-short = The text is too short to be written for you: it needs at least { $limit } characters.
rewrite-member-body = must be a JSON object
rewrite-member-content = must be a text of at most { $limit } characters
rewrite-member-text = must be a text of 1 to { $limit } characters
rewrite-member-page-url = must be the address of a page, of 1 to { $limit } characters
rewrite-member-tag = must be a BCP 47 language tag such as `en` or `ur-PK`
rewrite-member-same-language = must be another language than the one that the text is in
rewrite-member-object = must be a JSON object
rewrite-member-flag = must be true or false
