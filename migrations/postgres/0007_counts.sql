-- How much of what is limited was used: messages of a reader, attempts from an address.

create table if not exists limit_counts (
    -- What is counted and for whom; an address only as a keyed hash.
    key text primary key,
    used bigint not null,
    -- The window ends then, and the count begins anew.
    resets_at timestamptz not null
);

create index if not exists limit_counts_resets_at on limit_counts (resets_at);

-- Counts all of some claims, or none of them. With `keeps` false nothing is counted, whether or not all would have fitted.
-- Gives nothing when all fit, and otherwise the one that resets last of those that do not: its place in the list, from 1.
--
-- All of them are counted first, in the order of their keys, so that two that want the same rows wait and do not lock each
-- other out; each then sees what the other has counted. What was too much is taken back before anybody can see it.
create or replace function limit_claim(
    keys text[], allowed bigint[], units bigint[], resets timestamptz[], now_is timestamptz, keeps boolean
) returns table (place bigint, reset_at timestamptz)
language plpgsql as $$
declare
    refused boolean;
begin
    with counted as (
        insert into limit_counts as count (key, used, resets_at)
        select claim.key, claim.units, claim.resets_at
          from unnest(keys, units, resets) as claim (key, units, resets_at)
         order by claim.key
            on conflict (key) do update
               set used = case
                       when count.resets_at <= now_is or count.used = 0 then excluded.used
                       else count.used + excluded.used
                   end,
                   resets_at = case
                       when count.resets_at <= now_is or count.used = 0 then excluded.resets_at
                       else count.resets_at
                   end
     returning count.key, count.used, count.resets_at
    )
    select claim.place, counted.resets_at
      into place, reset_at
      from counted
      join unnest(keys, allowed) with ordinality as claim (key, allowed, place) on claim.key = counted.key
     where counted.used > claim.allowed
     order by counted.resets_at desc, claim.place
     limit 1;
    refused := found;
    if refused or not keeps then
        update limit_counts count
           set used = count.used - claim.units
          from unnest(keys, units) as claim (key, units)
         where count.key = claim.key;
    end if;
    if refused then
        return next;
    end if;
end
$$;
