-- The times and some channels of segments of many devices.
SELECT col.device_id, col.segment_id, col.holds, col.name, col.content
FROM unnest(%(devices)s::int[], %(segments)s::bigint[]) AS asked (device_id, segment_id)
JOIN segment_column AS col ON col.device_id = asked.device_id AND col.segment_id = asked.segment_id
    AND (col.holds = 't' OR (col.holds = 'c' AND col.name = ANY(%(names)s::text[])))
