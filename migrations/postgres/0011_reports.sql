-- Earlier back ends kept conversations in tables of these names, which reports may still read: here they are views over
-- the two chat tables. They cannot be written to, since each joins something. A table of such a name stays as it is.

-- The name of a conversation as the doors of those back ends give it: the UUID in the thread's id.
create or replace function chatkit_session(thread_id text) returns text language sql immutable as $$
    select case when thread_id ~ '^thr_[0-9a-f]{32}$' then substr(thread_id, 5)::uuid::text else thread_id end
$$;

-- The text in the parts of a message.
create or replace function chatkit_text(content jsonb) returns text language sql immutable as $$
    select case jsonb_typeof(content)
               when 'array' then (
                   select string_agg(listed.part ->> 'text', '' order by listed.place)
                     from jsonb_array_elements(content) with ordinality as listed (part, place)
               )
               else content #>> '{}'
           end
$$;

do $$
begin
    if to_regclass('conversations') is null then
        create view conversations as
        select chatkit_session(thread.id) as id, thread.user_id, thread.title, thread.created_at, thread.updated_at,
               counted.message_count
          from chat_threads thread
         cross join lateral (
             select count(*) as message_count from chat_thread_items item
              where item.thread_id = thread.id and item.role is not null and not item.hidden
         ) counted;
    end if;

    if to_regclass('chat_interactions') is null then
        create view chat_interactions as
        select question.id, chatkit_session(thread.id) as conversation_id, thread.user_id,
               chatkit_text(question.content) as query, answered.answer,
               coalesce(answered.sources, '[]'::jsonb) as sources,
               case question.grounding ->> 'rests_on' when 'selection_alone' then 'local' else 'global' end as query_mode,
               question.created_at
          from chat_thread_items question
          join chat_threads thread on thread.id = question.thread_id
          left join lateral (
              select min(later.position) as position from chat_thread_items later
               where later.thread_id = question.thread_id and later.role = 'user' and later.position > question.position
          ) next on true
          left join lateral (
              select string_agg(chatkit_text(message.content), E'\n\n' order by message.position) as answer,
                     (array_agg(message.grounding -> 'sources' order by message.position desc))[1] as sources
                from chat_thread_items message
               where message.thread_id = question.thread_id and message.role = 'assistant' and not message.hidden
                 and message.position > question.position
                 and (next.position is null or message.position < next.position)
          ) answered on true
         where question.role = 'user' and not question.hidden;
    end if;

    if to_regclass('chat_sessions') is null then
        create view chat_sessions as
        select chatkit_session(thread.id) as id, thread.user_id, thread.created_at,
               thread.updated_at as last_activity, counted.message_count
          from chat_threads thread
         cross join lateral (
             select count(*) as message_count from chat_thread_items item
              where item.thread_id = thread.id and item.role is not null and not item.hidden
         ) counted;
    end if;

    if to_regclass('messages') is null then
        create view messages as
        select item.id, chatkit_session(thread.id) as session_id, item.role, chatkit_text(item.content) as content,
               item.created_at, item.position
          from chat_thread_items item
          join chat_threads thread on thread.id = item.thread_id
         where item.role is not null and not item.hidden;
    end if;
end
$$;
