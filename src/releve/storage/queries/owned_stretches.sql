-- The stretches of a span in which one of the teams owned the device, in order; a span that ends before it begins has none.
SELECT (extract(epoch FROM lower(stretch)) * 1000000)::bigint AS from_us, (extract(epoch FROM upper(stretch)) * 1000000)::bigint AS to_us
FROM unnest(releve_owned(%(device)s, %(teams)s::bigint[]) * tstzmultirange(tstzrange(
    to_timestamp(0) + %(from_us)s::bigint * interval '1 microsecond', to_timestamp(0) + greatest(%(from_us)s::bigint, %(to_us)s::bigint) * interval '1 microsecond'
))) AS owned (stretch)
ORDER BY stretch
