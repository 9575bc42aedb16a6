//! A turn for the counts: when its reader was shown the first words, how it ended, what it cost.

use chatkit_protocol::ThreadEvent;

use super::super::ledger::Ending;
use super::super::notebook::Account;
use crate::metrics::CountedTurn;

/// What is known of a turn that runs. It is told when this goes, whatever the turn did.
pub(super) struct Tally {
    counted: CountedTurn,
    account: Account,
    has_shown: bool,
    /// The listener went away, where that means stop.
    has_left: bool,
    ending: &'static str,
}

impl Tally {
    pub(super) fn new(counted: CountedTurn, account: Account) -> Self {
        Self { counted, account, has_shown: false, has_left: false, ending: "failed" }
    }

    /// The reader is sent an event; the first one with words counts.
    pub(super) fn sends(&mut self, event: &ThreadEvent) {
        if self.has_shown {
            return;
        }
        if matches!(event, ThreadEvent::ItemUpdated { update, .. } if update.text_bytes() > 0) {
            self.has_shown = true;
            self.counted.shows();
        }
    }

    /// The listener went away, and the turn stops for that.
    pub(super) fn leaves(&mut self) -> Ending {
        self.has_left = true;
        Ending::Stopped
    }

    /// The turn ends so, or because its thread is gone or another turn's.
    pub(super) fn ends(&mut self, ending: Ending, is_lost: bool) {
        self.ending = match ending {
            _ if is_lost => "lost",
            Ending::Finished => "finished",
            Ending::Stopped if self.has_left => "left",
            Ending::Stopped => "stopped",
            Ending::Superseded => "superseded",
            Ending::Failed => "failed",
            Ending::ShutDown => "shut_down",
        };
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        let spent = self.account.spent();
        self.counted.ends(self.ending, spent.input, spent.output);
    }
}
