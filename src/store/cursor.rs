//! Pages from rows, without a database.

use chatkit_protocol::Page;

/// Makes a page of at most `limit` rows from up to `limit + 1` that were read: the one too many says that there is more.
///
/// `id` names a row; the last row of a page that is not the last page is the cursor of the next.
pub(super) fn page<T>(mut rows: Vec<T>, limit: u32, id: impl Fn(&T) -> String) -> Page<T> {
    let limit = limit as usize;
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let after = if has_more { rows.last().map(id) } else { None };
    Page { data: rows, has_more, after }
}

/// How many rows to read for a page of `limit`.
pub(super) fn rows_to_read(limit: u32) -> i64 {
    i64::from(limit) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_names_its_last_row_only_when_there_is_more() {
        let cut = page(vec!["a", "b", "c"], 2, |row| (*row).to_owned());
        assert_eq!((cut.data, cut.has_more, cut.after.as_deref()), (vec!["a", "b"], true, Some("b")));
        let whole = page(vec!["a", "b"], 2, |row| (*row).to_owned());
        assert_eq!((whole.data, whole.has_more, whole.after), (vec!["a", "b"], false, None));
    }
}
