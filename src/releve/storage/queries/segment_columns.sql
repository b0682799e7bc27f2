-- The columns of some segments: the times and some channels, or, where no channels are named, everything.
SELECT segment_id, holds, name, content FROM segment_column
WHERE device_id = %(device)s AND segment_id = ANY(%(segments)s::bigint[])
  AND (%(names)s::text[] IS NULL OR holds = 't' OR (holds = 'c' AND name = ANY(%(names)s::text[])))
