-- The ladders of some segments' channels; a segment without numbers in these has one row of nulls, one that was replaced none.
SELECT segment.id, ladder.channel, ladder.start_us, ladder.n::bigint[], ladder.first, ladder.low, ladder.high,
       ladder.last, ladder.total
FROM segment LEFT JOIN ladder
    ON ladder.device_id = segment.device_id AND ladder.segment_id = segment.id AND ladder.channel = ANY(%(names)s::text[])
WHERE segment.device_id = %(device)s AND segment.id = ANY(%(segments)s::bigint[]) AND segment.replaced IS NULL
