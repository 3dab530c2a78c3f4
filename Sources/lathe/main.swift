import LatheCommand

Lathe.main()
