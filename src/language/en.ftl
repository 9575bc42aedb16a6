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
