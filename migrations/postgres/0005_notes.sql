-- What is known of an item beside its content, and what turns cost.

alter table chat_thread_items
    add column if not exists n_tokens integer,
    -- Tokens that were read to write the item; `n_tokens` are those that were written.
    add column if not exists n_tokens_input integer,
    -- The model that wrote it, as `provider/model`.
    add column if not exists model text,
    -- What the answer rests on, as JSON: how many of its sentences lean on a passage, and where the others are.
    add column if not exists grounding jsonb;

-- One row for each turn that asked a model. It outlives its thread: deleting a conversation gives no tokens back.
create table if not exists chat_usage (
    turn_id text primary key,
    owner text not null,
    -- When it was first counted.
    at timestamptz not null,
    input_tokens bigint not null,
    output_tokens bigint not null
);

-- The sum over an owner's day is read from the index alone.
create index if not exists chat_usage_owner_at on chat_usage (owner, at) include (input_tokens, output_tokens);
