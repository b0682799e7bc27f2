-- The bytes of some columns, each named by its segment and its channel.
SELECT coalesce(sum(octet_length(content)), 0)::bigint
FROM unnest(%(segments)s::bigint[], %(channels)s::text[]) AS asked (segment_id, channel)
JOIN segment_column AS own ON own.device_id = %(device)s AND own.segment_id = asked.segment_id AND own.holds = 'c' AND own.name = asked.channel
