-- Where readings of a device's span were deleted, or those of some channels.
SELECT channel, (extract(epoch FROM lower(stretch)) * 1000000)::bigint, (extract(epoch FROM upper(stretch)) * 1000000)::bigint
FROM expired_reading, unnest(spans * tstzmultirange(tstzrange(
    to_timestamp(0) + %(from_us)s::bigint * interval '1 microsecond', to_timestamp(0) + %(to_us)s::bigint * interval '1 microsecond'
))) AS gone (stretch)
WHERE device_id = %(device)s
ORDER BY channel, stretch
