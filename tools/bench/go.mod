module inquest/tools/bench

go 1.26
