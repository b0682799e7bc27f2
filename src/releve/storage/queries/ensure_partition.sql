SELECT releve_ensure_partition(to_timestamp(0) + %s::bigint * interval '1 microsecond')
