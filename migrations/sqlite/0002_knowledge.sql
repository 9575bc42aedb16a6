-- Passages of the embedded knowledge base. A collection belongs to the operator, so no row has an owner.

create table knowledge_collections (
    name text primary key,
    -- Another number after every change.
    revision integer not null
) without rowid;

create table knowledge_documents (
    collection text not null references knowledge_collections (name) on delete cascade,
    path text not null,
    fingerprint text not null,
    passages integer not null,
    primary key (collection, path)
) without rowid;

create table knowledge_passages (
    collection text not null,
    path text not null,
    position integer not null,
    -- The passage as JSON.
    document text not null,
    primary key (collection, path, position),
    foreign key (collection, path) references knowledge_documents (collection, path) on delete cascade
);
