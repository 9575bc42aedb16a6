//! Getting a book in from the web: the pages that a site's map lists, fetched with care and at a walking pace.

mod guard;
