-- How far each feed was read. A transaction that uses a page also stores the cursor behind it.
create table if not exists feeds (
    name text primary key,                   -- changes or events
    cursor text,                             -- null: read from the beginning
    round integer not null default 1,        -- 1 more each time that reading begins again
    is_complete integer not null default 0   -- whether this round has reached the end of the feed once
);
insert or ignore into feeds (name) values ('changes'), ('events');

create table if not exists contacts (
    id text primary key,
    seq integer not null,                    -- the change that made this row, within its round
    round integer not null,
    contact text not null                    -- JSON, as the API has it
);

-- People who were erased. The row has no data of them. Nothing that comes late may bring them back.
create table if not exists erased (
    contact_id text primary key,
    told_mail_system integer not null default 0
);

create table if not exists handled_events (id text primary key);

-- One row for each person, ever. `starts` is more than 1 only if a Success Manager replayed the announcement.
create table if not exists automations (
    contact_id text primary key,
    starts integer not null default 1
);

-- The outbox: what other systems must do because of a transaction here.
create table if not exists mails (
    key text primary key,                    -- the idempotency key of the mail system
    contact_id text not null,
    is_sent integer not null default 0
);
