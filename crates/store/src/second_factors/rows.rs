//! The tables of second factors as they are stored.

/// `totp_secrets`
pub(super) mod secret {
    use sea_orm::entity::prelude::*;
    use sea_orm::value::TextUuid;

    #[derive(Clone, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "totp_secrets")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: TextUuid,
        pub secret: String,
        pub enabled_at_us: i64,
        pub last_step: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}

    /// A row holds a secret, which no log shows.
    impl std::fmt::Debug for Model {
        fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(out, "TotpSecret({})", self.user_id.0)
        }
    }
}

/// `totp_setups`
pub(super) mod setup {
    use sea_orm::entity::prelude::*;
    use sea_orm::value::TextUuid;

    #[derive(Clone, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "totp_setups")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: TextUuid,
        pub setup_id: TextUuid,
        pub secret: String,
        pub expires_at_us: i64,
        /// With spaces between them; none in what was begun before they were kept here.
        pub code_hashes: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}

    /// A row holds a secret, which no log shows.
    impl std::fmt::Debug for Model {
        fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(out, "TotpSetup({})", self.user_id.0)
        }
    }
}

/// `recovery_codes`
pub(super) mod code {
    use sea_orm::entity::prelude::*;
    use sea_orm::value::TextUuid;

    #[derive(Clone, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "recovery_codes")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: TextUuid,
        pub user_id: TextUuid,
        pub code_hash: String,
        pub created_at_us: i64,
        pub used_at_us: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}

    /// A row holds the hash of a code, which no log shows.
    impl std::fmt::Debug for Model {
        fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(out, "RecoveryCode({})", self.id.0)
        }
    }
}
