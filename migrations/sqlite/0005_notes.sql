-- What is known of an item beside its content, and what turns cost.

-- Tokens that were read to write the item; `n_tokens` are those that were written.
alter table chat_thread_items add column n_tokens_input integer;
-- The model that wrote it, as `provider/model`.
alter table chat_thread_items add column model text;
-- What the answer rests on, as JSON: how many of its sentences lean on a passage, and where the others are.
alter table chat_thread_items add column grounding text;

-- One row for each turn that asked a model. It outlives its thread: deleting a conversation gives no tokens back.
create table chat_usage (
    turn_id text primary key,
    owner text not null,
    -- When it was first counted.
    at text not null,
    input_tokens integer not null,
    output_tokens integer not null
) without rowid;

-- The sum over an owner's day is read from the index alone.
create index chat_usage_owner_at on chat_usage (owner, at, input_tokens, output_tokens);
