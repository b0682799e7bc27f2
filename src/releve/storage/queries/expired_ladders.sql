-- The ladders of a span whose readings were deleted, in the order of time.
SELECT segment.n, (extract(epoch FROM segment.first) * 1000000)::bigint, (extract(epoch FROM segment.last) * 1000000)::bigint,
       ladder.channel, ladder.width_us, ladder.start_us, ladder.n::bigint[], ladder.first, ladder.low, ladder.high, ladder.last, ladder.total
FROM segment JOIN ladder ON ladder.device_id = segment.device_id AND ladder.segment_id = segment.id
WHERE segment.device_id = %(device)s AND segment.expired IS NOT NULL AND ladder.channel = ANY(%(names)s::text[])
  AND segment.first < to_timestamp(0) + %(to_us)s::bigint * interval '1 microsecond'
  AND segment.last >= to_timestamp(0) + %(from_us)s::bigint * interval '1 microsecond'
ORDER BY segment.first, segment.id
