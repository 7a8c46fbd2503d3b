from paper_exchange.cli import main

raise SystemExit(main())
