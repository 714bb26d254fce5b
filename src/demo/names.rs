//! Names of the demo data, from several regions and in several scripts.

use fastrand::Rng;

/// Name of a person.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name {
    pub(super) first: &'static str,
    pub(super) last: &'static str,
}

impl Name {
    pub(super) fn full(self) -> String {
        format!("{} {}", self.first, self.last)
    }

    /// Returns the first part of an e-mail address: the ASCII letters of the name, or `friend` if there are too few.
    pub(super) fn ascii(self) -> String {
        let letters = |name: &str| name.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_lowercase();
        let (first, last) = (letters(self.first), letters(self.last));
        if first.len() < 2 || last.len() < 2 { "friend".to_owned() } else { format!("{first}.{last}.") }
    }
}

/// First and last names by region.
const REGIONS: [([&str; 12], [&str; 12]); 8] = [
    (
        ["Amelia", "Oliver", "Isla", "George", "Ava", "Noah", "Ivy", "Arthur", "Freya", "Leo", "Florence", "Harry"],
        [
            "Smith", "Jones", "Taylor", "Brown", "Williams", "Wilson", "Davies", "Evans", "Walker", "Wright", "Hughes",
            "O’Neil",
        ],
    ),
    (
        ["Jörg", "Käthe", "Lukas", "Änne", "Felix", "Greta", "Moritz", "Zoë", "Jonas", "Frieda", "Matthäus", "Luise"],
        [
            "Müller", "Schmidt", "Weiß", "Schäfer", "Strauß", "Koch", "Krüger", "Böhm", "Vogel", "Graf", "Öztürk",
            "Yılmaz",
        ],
    ),
    (
        ["José", "María", "Íñigo", "Lucía", "Álvaro", "Inés", "Mateo", "Sofía", "Hugo", "Carmen", "Ángel", "Noa"],
        ["García", "López", "Núñez", "Pérez", "Gómez", "Díaz", "Muñoz", "Ibáñez", "Vega", "Ruiz", "Ortiz", "Peña"],
    ),
    (
        ["Пётр", "Анна", "Олена", "Дмитрий", "Мария", "Тарас", "Ольга", "Юрий", "София", "Игорь", "Дарья", "Богдан"],
        [
            "Жук",
            "Шевченко",
            "Коваль",
            "Мельник",
            "Бондарь",
            "Орлова",
            "Белый",
            "Журавль",
            "Гончар",
            "Лысенко",
            "Мороз",
            "Сорока",
        ],
    ),
    (
        ["伟", "芳", "娜", "敏", "静", "强", "磊", "洋", "艳", "勇", "军", "杰"],
        ["王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙"],
    ),
    (
        ["محمد", "فاطمة", "أحمد", "مريم", "علي", "زينب", "حسن", "ليلى", "عمر", "نور", "يوسف", "سارة"],
        ["الحسن", "العلي", "حداد", "نجار", "خوري", "منصور", "سليمان", "بركات", "صالح", "عباس", "درويش", "شاهين"],
    ),
    (
        ["Aarav", "Diya", "Vihaan", "Ananya", "Arjun", "Isha", "Kabir", "Meera", "Rohan", "Saanvi", "Vivaan", "Zara"],
        ["Sharma", "Patel", "Singh", "Kumar", "Gupta", "Reddy", "Iyer", "Nair", "Das", "Khan", "Mehta", "Bose"],
    ),
    (
        ["Amara", "Kwame", "Chidi", "Zainab", "Tendai", "Abena", "Kofi", "Ngozi", "Juma", "Wanjiru", "Thabo", "Lerato"],
        [
            "Okafor", "Mensah", "Diallo", "Abebe", "Kamau", "Nkosi", "Adeyemi", "Traoré", "Mwangi", "Banda", "Dlamini",
            "Sow",
        ],
    ),
];

const NOTES: [&str; 5] = [
    "Allergic to eggs.",
    "Afraid of needles; bring the bear.",
    "Call in the evening.",
    "Has the yellow booklet.",
    "Twins: the other one is in the list too.",
];

pub(super) fn random_name(rng: &mut Rng) -> Name {
    let (first_names, last_names) = pick(rng, &REGIONS);
    Name { first: pick(rng, &first_names), last: pick(rng, &last_names) }
}

pub(super) fn random_note(rng: &mut Rng) -> &'static str {
    pick(rng, &NOTES)
}

#[expect(clippy::indexing_slicing, reason = "the index is drawn from the length")]
fn pick<T: Copy, const N: usize>(rng: &mut Rng, items: &[T; N]) -> T {
    items[rng.usize(..N)]
}
