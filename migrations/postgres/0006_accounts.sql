-- Accounts of this server, their sessions, and who signed in when.
--
-- This also runs on a database that already holds these tables of an earlier back end, with rows. It adds, and widens
-- what is too narrow; no row and no column is dropped. Tables of Better Auth (`"user"`, `session`, …) are others.

create table if not exists users (
    id text primary key,
    email text not null,
    full_name text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

-- Identifiers are text here, and so is every column that leans on them.
do $$
declare
    id_type text;
    leaning record;
begin
    select att.atttypid::regtype::text into id_type
      from pg_attribute att
     where att.attrelid = 'users'::regclass and att.attname = 'id' and not att.attisdropped;
    if id_type is null or id_type not in ('text', 'uuid', 'character varying', 'character') then
        raise exception 'the table `users` is of another program (its `id` is %): give this server a schema or a database of its own',
            coalesce('of type ' || id_type, 'missing');
    end if;

    if id_type <> 'text' then
        create temporary table leaning_on_users on commit drop as
        select con.conrelid::regclass as held_by, con.conname as name, pg_get_constraintdef(con.oid) as definition,
               att.attname as leans
          from pg_constraint con
          join pg_attribute att on att.attrelid = con.conrelid and att.attnum = con.conkey[1]
          join pg_attribute target on target.attrelid = con.confrelid and target.attnum = con.confkey[1]
         where con.contype = 'f' and con.confrelid = 'users'::regclass and cardinality(con.conkey) = 1
           and target.attname = 'id' and con.conparentid = 0;
        for leaning in select * from leaning_on_users loop
            execute format('alter table %s drop constraint %I', leaning.held_by, leaning.name);
        end loop;
        alter table users alter column id drop default;
        alter table users alter column id type text using id::text;
        for leaning in select distinct held_by, leans from leaning_on_users loop
            execute format('alter table %s alter column %I drop default', leaning.held_by, leaning.leans);
            execute format(
                'alter table %s alter column %I type text using %I::text', leaning.held_by, leaning.leans, leaning.leans
            );
        end loop;
        for leaning in select * from leaning_on_users loop
            execute format('alter table %s add constraint %I %s', leaning.held_by, leaning.name, leaning.definition);
        end loop;
    end if;
end
$$;

create table if not exists user_software_background (
    user_id text primary key references users (id) on delete cascade,
    programming_languages jsonb not null default '[]',
    frameworks jsonb not null default '[]'
);

create table if not exists user_hardware_background (
    user_id text primary key references users (id) on delete cascade,
    available_hardware jsonb not null default '[]',
    robotics_hardware jsonb not null default '[]'
);

create table if not exists auth_sessions (
    -- SHA-256 of the token, in hex: who reads the table cannot act as its readers.
    token_hash text primary key,
    user_id text not null references users (id) on delete cascade,
    expires_at timestamptz not null,
    created_at timestamptz not null default now()
);

create table if not exists audit_logs (
    id text primary key default gen_random_uuid()::text,
    user_id text references users (id) on delete set null,
    event_type text not null,
    details jsonb,
    created_at timestamptz not null default now()
);

-- A list of words, in whatever way it was written down.
create function pg_temp.list_of_words(written text) returns jsonb language plpgsql as $$
declare
    listed jsonb;
begin
    if coalesce(trim(written), '') = '' then
        return '[]';
    end if;
    begin
        listed := written::jsonb;
    exception when others then
        return (
            select coalesce(jsonb_agg(trim(word)), '[]') from unnest(string_to_array(written, ',')) word
             where trim(word) <> ''
        );
    end;
    return case
        when jsonb_typeof(listed) = 'array' then listed
        when jsonb_typeof(listed) = 'null' then '[]'
        else jsonb_build_array(listed)
    end;
end
$$;

do $$
declare
    ours constant text[] := array[
        'users', 'user_software_background', 'user_hardware_background', 'auth_sessions', 'audit_logs'
    ];
    -- What is written here, by name; other columns are left to whoever made them.
    written constant text[] := array[
        'users.id', 'users.email', 'users.full_name', 'users.created_at', 'users.updated_at', 'users.password_hash',
        'user_software_background.user_id', 'user_software_background.experience_level',
        'user_software_background.programming_languages', 'user_software_background.frameworks',
        'user_hardware_background.user_id', 'user_hardware_background.available_hardware',
        'user_hardware_background.robotics_hardware',
        'auth_sessions.token_hash', 'auth_sessions.user_id', 'auth_sessions.expires_at', 'auth_sessions.created_at',
        'audit_logs.user_id', 'audit_logs.event_type', 'audit_logs.created_at'
    ];
    found record;
begin
    -- Lists of values and of lengths that were too short for what is written now.
    for found in
        select con.conrelid::regclass as held_by, con.conname as name
          from pg_constraint con
          join pg_class class on class.oid = con.conrelid
         where con.conrelid = any (array(select to_regclass(name) from unnest(ours) name)) and con.contype = 'c'
           and exists (
               select from pg_attribute att
                where att.attrelid = con.conrelid and att.attnum = any (con.conkey)
                  and class.relname || '.' || att.attname = any (written)
           )
    loop
        execute format('alter table %s drop constraint %I', found.held_by, found.name);
    end loop;

    for found in
        select class.oid::regclass as held_by, class.relname, att.attname as name,
               att.atttypid::regtype::text as old_type, att.attnotnull as is_required, att.atthasdef as has_default,
               att.attidentity <> '' as counts_itself, class.relname || '.' || att.attname = any (written) as is_written,
               exists (
                   select from pg_index key
                    where key.indrelid = class.oid and key.indisprimary and att.attnum = any (key.indkey)
               ) as is_key
          from pg_class class
          join pg_attribute att on att.attrelid = class.oid and att.attnum > 0 and not att.attisdropped
         where class.oid = any (array(select to_regclass(name) from unnest(ours) name))
    loop
        if found.is_written and found.name in ('created_at', 'updated_at', 'expires_at') then
            if found.old_type = 'timestamp without time zone' then
                execute format('alter table %s alter column %I drop default', found.held_by, found.name);
                execute format(
                    'alter table %s alter column %I type timestamptz using %I at time zone ''UTC''',
                    found.held_by, found.name, found.name
                );
            end if;
            execute format('alter table %s alter column %I drop not null', found.held_by, found.name);
            if found.name <> 'expires_at' then
                execute format('alter table %s alter column %I set default now()', found.held_by, found.name);
            end if;
        elsif found.is_written and found.name in (
            'programming_languages', 'frameworks', 'available_hardware', 'robotics_hardware'
        ) then
            if found.old_type <> 'jsonb' then
                execute format('alter table %s alter column %I drop default', found.held_by, found.name);
                execute format(
                    case
                        when found.old_type like '%[]'
                            then 'alter table %s alter column %I type jsonb using coalesce(to_jsonb(%I), ''[]'')'
                        else 'alter table %s alter column %I type jsonb using pg_temp.list_of_words(%I::text)'
                    end,
                    found.held_by, found.name, found.name
                );
            end if;
            execute format('alter table %s alter column %I drop not null', found.held_by, found.name);
        elsif found.is_written then
            if found.old_type <> 'text' then
                execute format('alter table %s alter column %I drop default', found.held_by, found.name);
                execute format(
                    'alter table %s alter column %I type text using %I::text', found.held_by, found.name, found.name
                );
            end if;
            if not found.is_key and found.name in ('full_name', 'password_hash', 'experience_level')
               or found.relname = 'audit_logs' and found.name = 'user_id' then
                execute format('alter table %s alter column %I drop not null', found.held_by, found.name);
            end if;
        elsif found.is_key then
            -- A program that named its rows itself left no default for who does not.
            if not found.has_default and not found.counts_itself
               and found.old_type in ('uuid', 'text', 'character varying', 'character') then
                execute format(
                    'alter table %s alter column %I set default %s', found.held_by, found.name,
                    case when found.old_type = 'uuid' then 'gen_random_uuid()' else 'gen_random_uuid()::text' end
                );
            end if;
        elsif found.is_required and not found.has_default and not found.counts_itself then
            execute format('alter table %s alter column %I drop not null', found.held_by, found.name);
        end if;
    end loop;
end
$$;

alter table users
    add column if not exists email text,
    add column if not exists full_name text,
    add column if not exists created_at timestamptz default now(),
    add column if not exists updated_at timestamptz default now(),
    -- What e-mail addresses are compared by. Of earlier accounts whose addresses differ in nothing but capitals the
    -- oldest has it; the others sign in with their address as they wrote it at sign-up.
    add column if not exists email_key text,
    add column if not exists password_hash text,
    -- Set by an operator: nobody signs in, and sessions are good for nothing.
    add column if not exists disabled boolean not null default false;

alter table user_software_background
    add column if not exists experience_level text,
    add column if not exists programming_languages jsonb default '[]',
    add column if not exists frameworks jsonb default '[]';

alter table user_hardware_background
    add column if not exists available_hardware jsonb default '[]',
    add column if not exists robotics_hardware jsonb default '[]';

alter table auth_sessions
    -- Null in rows of an earlier back end, whose tokens are not believed.
    add column if not exists token_hash text,
    add column if not exists created_at timestamptz default now(),
    add column if not exists revoked_at timestamptz,
    -- Sessions that came of one sign-in, each refreshed into the next. Null in rows of an earlier back end.
    add column if not exists family text,
    -- When it was refreshed into another.
    add column if not exists replaced_at timestamptz;

alter table audit_logs
    add column if not exists event_type text,
    add column if not exists created_at timestamptz default now(),
    -- Keyed hashes.
    add column if not exists address_hash text,
    add column if not exists email_hash text,
    -- Null in rows of an earlier back end.
    add column if not exists request_id text;

do $$
declare
    has constant text[] := array(
        select attname || ':' || atttypid::regtype::text from pg_attribute
         where attrelid = 'users'::regclass and attnum > 0 and not attisdropped
    );
    profile_level constant boolean := exists (
        select from pg_attribute
         where attrelid = to_regclass('user_profiles') and attname = 'experience_level' and not attisdropped
    );
begin
    if exists (select from unnest(has) name where name like 'hashed_password:%') then
        execute 'update users set password_hash = hashed_password where password_hash is null';
    end if;
    if 'is_active:boolean' = any (has) then
        execute 'update users set disabled = true where not is_active';
    end if;
    if profile_level then
        insert into user_software_background (user_id)
        select id from users where not exists (select from user_software_background known where known.user_id = users.id);
        execute
            'update user_software_background background set experience_level = profile.experience_level::text
               from user_profiles profile
              where profile.user_id::text = background.user_id and background.experience_level is null';
    end if;
end
$$;

update users set email_key = oldest.key
  from (
      select distinct on (lower(email collate "C")) id, lower(email collate "C") as key
        from users
       where email is not null
       order by lower(email collate "C"), created_at, id
  ) oldest
 where users.id = oldest.id and users.email_key is null;

create unique index if not exists users_email_key on users (email_key);
create index if not exists users_email on users (email);
create index if not exists user_software_background_user on user_software_background (user_id);
create index if not exists user_hardware_background_user on user_hardware_background (user_id);
create index if not exists auth_sessions_token on auth_sessions (token_hash);
create index if not exists auth_sessions_user on auth_sessions (user_id, created_at);
create index if not exists auth_sessions_family on auth_sessions (family);
create index if not exists auth_sessions_expiry on auth_sessions (expires_at);
create index if not exists audit_logs_created on audit_logs (created_at);
create index if not exists audit_logs_user on audit_logs (user_id);

drop function pg_temp.list_of_words(text);
