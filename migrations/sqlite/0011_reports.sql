-- Earlier back ends kept conversations in tables of these names, which reports may still read: here they are views over
-- the two chat tables. A conversation is named as the doors of those back ends name it: by the UUID in the thread's id.

create view chat_sessions as
select case
           when length(id) = 36 and substr(id, 1, 4) = 'thr_' and substr(id, 5) not glob '*[^0-9a-f]*'
           then substr(id, 5, 8) || '-' || substr(id, 13, 4) || '-' || substr(id, 17, 4) || '-' || substr(id, 21, 4)
                || '-' || substr(id, 25)
           else id
       end as id,
       user_id, created_at, updated_at as last_activity,
       (select count(*) from chat_thread_items
         where thread_id = chat_threads.id and role is not null and not hidden) as message_count,
       id as thread_id, title
  from chat_threads;

create view conversations as
select id, user_id, title, created_at, last_activity as updated_at, message_count from chat_sessions;

create view messages as
select item.id, session.id as session_id, item.role,
       (select group_concat(json_extract(part.value, '$.text'), '') from json_each(item.content) part) as content,
       item.created_at, item.position
  from chat_thread_items item
  join chat_sessions session on session.thread_id = item.thread_id
 where item.role is not null and not item.hidden;

create view chat_interactions as
select question.id, session.id as conversation_id, session.user_id,
       (select group_concat(json_extract(part.value, '$.text'), '') from json_each(question.content) part) as query,
       (select group_concat(content, char(10) || char(10))
          from (select content from messages
                 where session_id = session.id and role = 'assistant' and position > question.position
                   and position < coalesce(
                       (select min(position) from chat_thread_items
                         where thread_id = question.thread_id and role = 'user' and position > question.position),
                       9223372036854775807)
                 order by position)) as answer,
       coalesce(
           (select json_extract(grounding, '$.sources') from chat_thread_items
             where thread_id = question.thread_id and role = 'assistant' and not hidden
               and position > question.position
               and position < coalesce(
                   (select min(position) from chat_thread_items
                     where thread_id = question.thread_id and role = 'user' and position > question.position),
                   9223372036854775807)
             order by position desc limit 1),
           '[]') as sources,
       case json_extract(question.grounding, '$.rests_on') when 'selection_alone' then 'local' else 'global' end as query_mode,
       question.created_at
  from chat_thread_items question
  join chat_sessions session on session.thread_id = question.thread_id
 where question.role = 'user' and not question.hidden;
