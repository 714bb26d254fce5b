//! Connection that explains every statement, with scans and sorts made so expensive that the planner uses
//! them only if there is no index.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use care4u::db::{Db, Transact, Transaction};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement, TransactionSession};

/// Indexes whose first column has few values, each in many rows. SQLite has no statistics, and may take one of them where
/// another index finds few rows.
const BROAD_INDEXES: [&str; 3] =
    ["vaccine_requests_status_id_idx", "vaccine_requests_vaccine_id_id_idx", "audit_events_action_id_idx"];

/// Explains every statement before it is executed, including those in transactions.
pub struct Explained {
    /// The one transaction; those of the domain are savepoints in it.
    transaction: Arc<Transaction>,
    plans: Arc<Mutex<Vec<String>>>,
    allows_sorts: Arc<AtomicBool>,
    allows_broad_indexes: Arc<AtomicBool>,
}

impl Explained {
    pub async fn new(db: &Db) -> Self {
        let transaction = db.begin().await.unwrap();
        if transaction.get_database_backend() == DbBackend::Postgres {
            let settings =
                "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off";
            transaction.execute_unprepared(settings).await.unwrap();
        }
        Self {
            transaction: Arc::new(transaction),
            plans: Arc::default(),
            allows_sorts: Arc::default(),
            allows_broad_indexes: Arc::default(),
        }
    }

    /// Allows sorts, where only a few rows are sorted.
    pub fn allow_sorts(&self, allowed: bool) {
        self.allows_sorts.store(allowed, Ordering::Relaxed);
    }

    /// Allows indexes of columns with few values, for lists that are filtered by nothing else.
    pub fn allow_broad_indexes(&self, allowed: bool) {
        self.allows_broad_indexes.store(allowed, Ordering::Relaxed);
    }

    /// Number of explained statements.
    pub fn count(&self) -> usize {
        self.plans.lock().unwrap().len()
    }

    /// Asserts that the last statement used this index.
    #[track_caller]
    pub fn used(&self, index: &str) {
        let plans = self.plans.lock().unwrap();
        let last = plans.last().expect("a statement ran");
        assert!(last.contains(index), "not {index}:\n{last}");
    }

    /// Asserts that the last statement used this index, with a condition on this column.
    #[track_caller]
    pub fn used_by(&self, index: &str, column: &str) {
        self.used(index);
        let plans = self.plans.lock().unwrap();
        let last = plans.last().expect("a statement ran");
        let entered =
            [format!("({column}=?"), format!("({column} = ")].iter().any(|condition| last.contains(condition));
        assert!(entered, "not by {column}:\n{last}");
    }

    async fn explain(&self, statement: &Statement) {
        let (command, column) = match self.get_database_backend() {
            DbBackend::Sqlite => ("EXPLAIN QUERY PLAN", 3),
            _ => ("EXPLAIN (COSTS OFF)", 0),
        };
        let question = Statement { sql: format!("{command} {}", statement.sql), ..statement.clone() };
        let rows = self.transaction.query_all_raw(question).await.unwrap();
        let lines: Vec<String> = rows.iter().map(|row| row.try_get_by_index(column).unwrap()).collect();
        for line in &lines {
            // Subqueries and common table expressions are not tables.
            let is_part = line.strip_prefix("SCAN ").is_some_and(|name| lines.contains(&format!("CO-ROUTINE {name}")));
            let is_table = !line.contains("USING") && !line.contains("VALUES") && !is_part;
            let scan = line.contains("Seq Scan") || (line.starts_with("SCAN ") && is_table);
            let sort = !self.allows_sorts.load(Ordering::Relaxed)
                && (line.contains("Sort") || line.contains("TEMP B-TREE FOR ORDER BY"));
            // PostgreSQL chooses by its statistics, which say little of the few rows of a test.
            let broad = self.get_database_backend() == DbBackend::Sqlite
                && !self.allows_broad_indexes.load(Ordering::Relaxed)
                && BROAD_INDEXES.iter().any(|index| line.contains(index));
            assert!(!scan && !sort && !broad, "{}\n{}", statement.sql, lines.join("\n"));
        }
        self.plans.lock().unwrap().push(lines.join("\n"));
    }
}

impl Transact for Explained {
    type Transaction = Self;

    async fn begin(&self) -> Result<Self, DbErr> {
        self.transaction.execute_unprepared("SAVEPOINT nested").await?;
        Ok(Self {
            transaction: Arc::clone(&self.transaction),
            plans: Arc::clone(&self.plans),
            allows_sorts: Arc::clone(&self.allows_sorts),
            allows_broad_indexes: Arc::clone(&self.allows_broad_indexes),
        })
    }
}

#[async_trait::async_trait]
impl TransactionSession for Explained {
    async fn commit(self) -> Result<(), DbErr> {
        self.transaction.execute_unprepared("RELEASE SAVEPOINT nested").await.map(drop)
    }

    async fn rollback(self) -> Result<(), DbErr> {
        self.transaction.execute_unprepared("ROLLBACK TO SAVEPOINT nested").await.map(drop)
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Explained {
    fn get_database_backend(&self) -> DbBackend {
        self.transaction.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.explain(&statement).await;
        self.transaction.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.transaction.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.explain(&statement).await;
        self.transaction.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.explain(&statement).await;
        self.transaction.query_all_raw(statement).await
    }
}
