# What readers are told. Names begin with the part of the house that says it.

answer-broken-off = The answer broke off. Please try again.
