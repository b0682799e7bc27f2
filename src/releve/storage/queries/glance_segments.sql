-- Of many devices the segments that each one's span touches, or the newest one before: what their ladders say of some channels in the
-- span, and their last number with the start of its rung.
SELECT asked.device_id, segment.id, segment.n, (extract(epoch FROM segment.first) * 1000000)::bigint,
       (extract(epoch FROM segment.last) * 1000000)::bigint, segment.bytes, ladder.channel, ladder.width_us, inside.low, inside.high,
       ladder.last[cardinality(ladder.last)], ladder.start_us[cardinality(ladder.start_us)]
FROM unnest(%(devices)s::int[], %(from_us)s::bigint[], %(to_us)s::bigint[], %(since_us)s::bigint[]) AS asked (device_id, from_us, to_us, since_us)
CROSS JOIN LATERAL (
    SELECT id, n, first, last, bytes, row_number() OVER (ORDER BY last DESC, id DESC) AS place FROM segment
    WHERE device_id = asked.device_id AND replaced IS NULL AND first < to_timestamp(0) + asked.to_us * interval '1 microsecond'
) AS segment
JOIN ladder ON ladder.device_id = asked.device_id AND ladder.segment_id = segment.id AND ladder.channel = ANY(%(names)s::text[])
CROSS JOIN LATERAL (
    SELECT min(rung.low) AS low, max(rung.high) AS high
    FROM unnest(ladder.start_us, ladder.low, ladder.high) AS rung (start_us, low, high)
    WHERE rung.start_us < asked.to_us
      AND (rung.start_us >= asked.from_us OR segment.first >= to_timestamp(0) + asked.from_us * interval '1 microsecond')
) AS inside
WHERE (segment.place = 1 AND segment.last >= to_timestamp(0) + asked.since_us * interval '1 microsecond')
   OR segment.last >= to_timestamp(0) + asked.from_us * interval '1 microsecond'
