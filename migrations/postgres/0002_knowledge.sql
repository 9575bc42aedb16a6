-- Passages of the embedded knowledge base. A collection belongs to the operator, so no row has an owner.

create table if not exists knowledge_collections (
    name text primary key,
    -- Another number after every change.
    revision bigint not null
);

-- Paths compare byte by byte, so that both homes list them in the same order.
create table if not exists knowledge_documents (
    collection text not null references knowledge_collections (name) on delete cascade,
    path text collate "C" not null,
    fingerprint text not null,
    passages integer not null,
    primary key (collection, path)
);

create table if not exists knowledge_passages (
    collection text not null,
    path text collate "C" not null,
    position integer not null,
    -- The passage as JSON, to the letter.
    document text not null,
    primary key (collection, path, position),
    foreign key (collection, path) references knowledge_documents (collection, path) on delete cascade
);
